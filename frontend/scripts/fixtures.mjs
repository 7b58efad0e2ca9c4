// Refreshes tests/fixtures/schemas.json: the engine's own config schemas, with the answers of its own validator to a few values each.
// The unit tests run the form and its checker against them.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const frontend = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(frontend);
const candidates = [process.env.PYTHON, join(root, ".venv/bin/python"), join(root, ".venv/Scripts/python.exe")];
const python = candidates.find((path) => path && existsSync(path)) ?? "python3";
const text = execFileSync(python, [join(frontend, "scripts/schema_fixtures.py")], { cwd: root, encoding: "utf8" });
writeFileSync(join(frontend, "tests/fixtures/schemas.json"), text);
