// Fails if what a browser loads before the first page is shown weighs more than the budget (gzip, JavaScript and CSS).
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 150;
const build = join(dirname(dirname(fileURLToPath(import.meta.url))), "../webapp/static/ui");
const manifest = JSON.parse(readFileSync(join(build, ".vite/manifest.json"), "utf8"));

const initial = new Set();
function collect(key) {
  const chunk = manifest[key];
  if (!chunk || initial.has(chunk.file)) return;
  initial.add(chunk.file);
  for (const css of chunk.css ?? []) initial.add(css);
  for (const imported of chunk.imports ?? []) collect(imported);
}
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) collect(key);

const kilobytes = (file) => gzipSync(readFileSync(join(build, file)), { level: 9 }).length / 1000;
const total = [...initial].reduce((sum, file) => sum + kilobytes(file), 0);
console.log(`initial load: ${total.toFixed(1)} kB gzip of ${BUDGET_KB} kB (${[...initial].join(", ")})`);
if (total > BUDGET_KB) process.exit(1);
