// Builds the front end into the Python package: the start module, which every widget carries, and the parts that the
// page loads once: one for each file of src/entries and src/features, and chunks of what several parts share.
// Stylesheets are minified and imported as text: they live in each widget's shadow root, not in the page.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const packaged = join(here, "..", "comfy_widgets", "static");

/** `import css from "./x.css?inline"`: the same spelling that Vite (and so vitest) understands. */
const inlineCss = (minify) => ({
  name: "inline-css",
  setup(build) {
    build.onResolve({ filter: /\.css\?inline$/ }, (args) => ({
      // Relative, as the names of chunks depend on it, and must be the same wherever the project stands.
      path: relative(here, resolve(args.resolveDir, args.path.replace(/\?inline$/, ""))),
      namespace: "inline-css",
    }));
    build.onLoad({ filter: /.*/, namespace: "inline-css" }, async (args) => {
      const path = join(here, args.path);
      const css = readFileSync(path, "utf8");
      const { code } = await esbuild.transform(css, { loader: "css", minify, target: "chrome111" });
      // esbuild leaves the blanks in custom properties.
      const contents = minify ? code.trim().replace(/(--[\w-]+:|[,(]) +/g, "$1") : code;
      return { contents, loader: "text", watchFiles: [path] };
    });
  },
});

/** @returns {import("esbuild").BuildOptions} */
const options = (minify) => ({
  outdir: packaged,
  bundle: true,
  write: false,
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

/** @returns {import("esbuild").BuildOptions} */
const parts = (minify) => ({
  ...options(minify),
  entryPoints: ["entries", "features"].flatMap((folder) =>
    readdirSync(join(source, folder)).map((name) => join(source, folder, name)),
  ),
  entryNames: "[name]",
  splitting: true,
  metafile: true,
});

/** The files of each part, in the order in which they can be imported: a file comes after all that it imports. */
function manifest({ outputs }) {
  const found = {};
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint === undefined) continue;
    const files = new Set();
    const visit = (output) => {
      for (const one of outputs[output].imports) if (!files.has(basename(one.path))) visit(one.path);
      files.add(basename(output));
    };
    visit(path);
    found[basename(path, ".js")] = [...files];
  }
  return found;
}

/** Everything that is shipped, from the parts that esbuild has built. */
async function complete({ outputFiles, metafile }, minify) {
  const files = outputFiles.map(({ path, text }) => ({ name: basename(path), text }));
  // Names what the start module loads, so that two versions in one page never mix.
  const hash = createHash("sha256");
  for (const { name, text } of files) hash.update(name).update(text);
  const start = await esbuild.build({
    ...options(minify),
    entryPoints: [join(source, "start.ts")],
    define: { BUILD: JSON.stringify(hash.digest("hex").slice(0, 16)) },
  });
  // A saved page stands alone: all of its code in one script.
  const page = await esbuild.build({
    ...options(minify),
    format: "iife",
    entryPoints: [join(source, "page", "sweep-page.tsx")],
  });
  return [
    ...files,
    { name: "start.js", text: start.outputFiles[0].text },
    { name: "sweep-page.js", text: page.outputFiles[0].text },
    { name: "manifest.json", text: `${JSON.stringify(manifest(metafile), null, 1)}\n` },
  ];
}

function write(files) {
  mkdirSync(packaged, { recursive: true });
  for (const { name, text } of files) writeFileSync(join(packaged, name), text);
  const names = new Set(files.map(({ name }) => name));
  for (const name of readdirSync(packaged)) if (!names.has(name)) rmSync(join(packaged, name));
}

/**
 * Build what is shipped.
 *
 * @returns the name and the text of each file
 */
export async function bundle() {
  return complete(await esbuild.build(parts(true)), true);
}

async function watch() {
  const settings = parts(false);
  const publish = {
    name: "publish",
    setup: (build) =>
      build.onEnd(async (result) => {
        if (result.errors.length === 0) write(await complete(result, false));
      }),
  };
  const context = await esbuild.context({ ...settings, plugins: [...settings.plugins, publish] });
  await context.watch();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--watch")) await watch();
  // All or nothing: what cannot be built leaves the files before it.
  else write(await bundle());
}
