// Refreshes tests/fixtures: the engine's own config schemas with the answers of its own validator to a few values each, events of its own classes,
// short runs with every kind of event, and what these add up to.
// The unit tests run the form, its checker and the pictures against them.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const frontend = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(frontend);
const candidates = [process.env.PYTHON, join(root, ".venv/bin/python"), join(root, ".venv/Scripts/python.exe")];
const python = candidates.find((path) => path && existsSync(path)) ?? "python3";
const print = (script) => execFileSync(python, [join(frontend, "scripts", script)], { cwd: root, encoding: "utf8" });
writeFileSync(join(frontend, "tests/fixtures/schemas.json"), print("schema_fixtures.py"));
writeFileSync(join(frontend, "tests/fixtures/pictures.json"), print("picture_fixtures.py"));
writeFileSync(join(frontend, "tests/fixtures/contract.json"), print("contract_fixtures.py"));
writeFileSync(join(frontend, "tests/fixtures/pasts.json"), print("past_fixtures.py"));
