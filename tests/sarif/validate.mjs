// Every program of tests/ui as a SARIF log, against the published schema; one log with all of them, one with nothing.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";

const require = createRequire(import.meta.url);
const ajv = new Ajv({ schemaId: "id", meta: false, allErrors: true, unknownFormats: ["uri", "uri-reference", "date-time"] });
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json"));
const schema = new URL("node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json", import.meta.url);
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));

const ui = new URL("../ui/", import.meta.url).pathname;
const programs = readdirSync(ui).filter((name) => name.endsWith(".dbjob")).map((name) => ui + name);

function check(...files) {
  let out;
  try {
    out = execFileSync(process.env.DBJOB, ["check", "--format", "sarif", ...files], { encoding: "utf8", maxBuffer: 1 << 28 });
  } catch (error) {
    if (error.status !== 2) throw error;
    out = error.stdout;
  }
  const log = JSON.parse(out);
  if (!validate(log)) {
    console.error(files, validate.errors);
    process.exit(1);
  }
  return log.runs[0];
}

const fixes = (run) => run.results.filter((result) => result.fixes).length;
const runs = programs.map((program) => check(program));
const results = runs.reduce((sum, run) => sum + run.results.length, 0);
const all = check(...programs, "not-there.dbjob");
if (all.results.length !== results + 1 || fixes(all) < 50 || all.tool.driver.rules.length < 20) {
  console.error(`${all.results.length} results, ${fixes(all)} fixes, ${all.tool.driver.rules.length} rules`);
  process.exit(1);
}
if (check(ui + "clean.dbjob").results.some((result) => result.level === "error")) process.exit(1);
console.log(`sarif: ${runs.length} logs are valid, ${results} results, ${fixes(all)} fixes`);
