// Builds the folder PAGE from src (see scripts/build-viewer): one script, one stylesheet, the fonts of KaTeX. `--check` compares instead of writing.
import { build } from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const here = new URL("./", import.meta.url);
const page = pathToFileURL(`${process.env.PAGE}/`);
const check = process.argv.includes("--check");
const limit = 700_000;

const made = await build({
  absWorkingDir: here.pathname,
  entryPoints: { viewer: "src/main.js" },
  outdir: "out",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  write: false,
  loader: { ".woff2": "file", ".woff": "empty", ".ttf": "empty" },
  assetNames: "[name]",
});
const files = new Map(made.outputFiles.map((file) => [file.path.split("/").pop(), Buffer.from(file.contents)]));
files.set("index.html", await readFile(new URL("src/index.html", here)));
files.set("NOTICE.txt", Buffer.from(await notices()));

const size = files.get("viewer.js").length + files.get("viewer.css").length;
console.log(`script ${files.get("viewer.js").length} + style ${files.get("viewer.css").length} bytes`
  + ` (${gzipSync(files.get("viewer.js")).length} + ${gzipSync(files.get("viewer.css")).length} compressed)`);
if (size > limit) fail(`Script and style have ${size} bytes; the limit is ${limit}.`);

if (check) {
  const there = (await readdir(page)).sort();
  if (there.join() !== [...files.keys()].sort().join()) fail(`page/ holds ${there.join(", ")}`);
  for (const [name, content] of files) {
    if (!content.equals(await readFile(new URL(name, page)))) fail(`page/${name} is not what the source gives.`);
  }
  console.log("page/ is fresh.");
} else {
  await rm(page, { recursive: true, force: true });
  await mkdir(page);
  for (const [name, content] of files) await writeFile(new URL(name, page), content);
}

/** The licences of what is bundled. */
async function notices() {
  const lock = JSON.parse(await readFile(new URL("package-lock.json", here), "utf8"));
  const parts = [];
  for (const name of ["diff", "devlop", "highlight.js", "htm", "katex", "lowlight", "marked", "preact"]) {
    const folder = new URL(`node_modules/${name}/`, here);
    const file = (await readdir(folder)).find((item) => /^licen[cs]e/i.test(item));
    const text = (await readFile(new URL(file, folder), "utf8")).trim();
    parts.push(`${name} ${lock.packages[`node_modules/${name}`].version}\n\n${text}\n`);
  }
  return `The page contains these libraries.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
