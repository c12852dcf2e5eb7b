// Bundles each file of src/entries into one self-contained ES module in the Python package.
// Stylesheets are minified and imported as text: they live in each widget's shadow root, not in the page.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const watch = process.argv.includes("--watch");

/** `import css from "./x.css?inline"`: the same spelling that Vite (and so vitest) understands. */
const inlineCss = {
  name: "inline-css",
  setup(build) {
    build.onResolve({ filter: /\.css\?inline$/ }, (args) => ({
      path: resolve(args.resolveDir, args.path.replace(/\?inline$/, "")),
      namespace: "inline-css",
    }));
    build.onLoad({ filter: /.*/, namespace: "inline-css" }, async ({ path }) => {
      const { code } = await esbuild.transform(readFileSync(path, "utf8"), {
        loader: "css",
        minify: !watch,
        target: "chrome111",
      });
      // esbuild leaves the blanks in custom properties.
      const contents = code.trim().replace(/(--[\w-]+:|[,(]) +/g, "$1");
      return { contents, loader: "text", watchFiles: [path] };
    });
  },
};

const entries = join(here, "src", "entries");

/** @type {import("esbuild").BuildOptions} */
const options = {
  entryPoints: readdirSync(entries).map((name) => join(entries, name)),
  outdir: join(here, "..", "comfy_widgets", "static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  legalComments: "none",
  logLevel: "warning",
  plugins: [inlineCss],
};

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
