// Bundles each file of src/entries into one self-contained ES module in the Python package.
// Stylesheets are minified and imported as text: they live in each widget's shadow root, not in the page.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const entries = join(here, "src", "entries");
const packaged = join(here, "..", "comfy_widgets", "static");

/** `import css from "./x.css?inline"`: the same spelling that Vite (and so vitest) understands. */
const inlineCss = (minify) => ({
  name: "inline-css",
  setup(build) {
    build.onResolve({ filter: /\.css\?inline$/ }, (args) => ({
      path: resolve(args.resolveDir, args.path.replace(/\?inline$/, "")),
      namespace: "inline-css",
    }));
    build.onLoad({ filter: /.*/, namespace: "inline-css" }, async ({ path }) => {
      const css = readFileSync(path, "utf8");
      const { code } = await esbuild.transform(css, { loader: "css", minify, target: "chrome111" });
      // esbuild leaves the blanks in custom properties.
      const contents = minify ? code.trim().replace(/(--[\w-]+:|[,(]) +/g, "$1") : code;
      return { contents, loader: "text", watchFiles: [path] };
    });
  },
});

/** @returns {import("esbuild").BuildOptions} */
const options = (outdir, minify) => ({
  entryPoints: readdirSync(entries).map((name) => join(entries, name)),
  outdir,
  bundle: true,
  format: "esm",
  target: "es2022",
  // anywidget silently drops updates that come while a module with one starts.
  supported: { "top-level-await": false },
  jsx: "automatic",
  jsxImportSource: "preact",
  minify,
  sourcemap: minify ? false : "inline",
  legalComments: "none",
  logLevel: "warning",
  plugins: [inlineCss(minify)],
});

/**
 * Build what is shipped.
 *
 * @returns the name and the source of each module
 */
export async function bundle({ write = true } = {}) {
  const settings = { ...options(packaged, true), write: false };
  const { outputFiles } = await esbuild.build(settings);
  mkdirSync(packaged, { recursive: true });
  // All or nothing: a module that cannot be built leaves the ones before it.
  if (write) for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  return outputFiles.map(({ path, text }) => ({ name: basename(path), text }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--watch")) await (await esbuild.context(options(packaged, false))).watch();
  else await bundle();
}
