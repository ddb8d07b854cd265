// Every token of every job file must have the scope that its role asks for.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { classify } from "./lexer.mjs";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const grammarFile = join(root, "grammar", "dbjob.tmLanguage.json");

const SCOPES = {
  doc: /^comment\.line\.documentation\.dbjob$/,
  comment: /^comment\.line\.number-sign\.dbjob$/,
  string: /^string\.quoted\.double\.dbjob$/,
  backtick: /^(variable\.|entity\.name|variable\.parameter)/,
  date: /^constant\.other\.date\.dbjob$/,
  percentage: /^constant\.numeric\.percentage\.dbjob$/,
  duration: /^constant\.numeric\.duration\.dbjob$/,
  size: /^constant\.numeric\.size\.dbjob$/,
  float: /^constant\.numeric\.float\.dbjob$/,
  integer: /^constant\.numeric\.integer\.dbjob$/,
  symbol: /^(keyword\.operator\.[a-z]+|punctuation\.[a-z.]+)\.dbjob$/,
  operator: /^keyword\.operator\.word\.dbjob$/,
  conditional: /^keyword\.control\.conditional\.dbjob$/,
  constant: /^constant\.language\.dbjob$/,
  item: /^keyword\.declaration\.item\.dbjob$/,
  verb: /^keyword\./,
  named: /^variable\.(parameter\.option|other\.column)\.dbjob$/,
  word: /\.dbjob$/,
  modifier: /^(keyword|storage)\./,
  name: /^(variable|entity)\./,
};

// Words that are modifiers wherever they stand in whole.dbjob and in the examples, unless they name something there.
const MODIFIERS = new Set(
  ("after as asc at before best by classes cross desc each except folds for from full gap keep known label late " +
    "left anti semi inner asof lookup many_to_many many_to_one named on one_to_many one_to_one order out_of_fold over " +
    "prefix replace stratify using values where with within raw").split(" "),
);

async function loadGrammar() {
  await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(grammarFile, "utf8"), grammarFile),
  });
  return registry.loadGrammar("source.dbjob");
}

function scopesOf(grammar, text) {
  let state = textmate.INITIAL;
  return text.split("\n").map((line) => {
    const result = grammar.tokenizeLine(line.replace(/\r$/, ""), state);
    state = result.ruleStack;
    return result.tokens;
  });
}

function expectedRole(token, previous, next, names) {
  if (token.kind !== "word") return token.role;
  if (names?.has(token.text)) return "name";
  const isArgument = ["=", "(", ":"].includes(next?.text) || previous?.text === "." || previous?.text === "=";
  if (token.role === "word" && MODIFIERS.has(token.text) && !isArgument) return "modifier";
  return token.role;
}

function check(grammar, file) {
  const text = readFileSync(file, "utf8");
  const lines = scopesOf(grammar, text);
  const names = text.split("\n").map((line) => {
    const list = /# names: (.*)$/.exec(line)?.[1];
    return list && list !== "none" ? new Set(list.split(" ")) : null;
  });
  const tokens = classify(text);
  const faults = [];
  for (const [i, token] of tokens.entries()) {
    const role = expectedRole(token, tokens[i - 1], tokens[i + 1], names[token.line]);
    const wanted = SCOPES[role];
    assert.ok(wanted, `no expectation for the role ${role}`);
    for (const piece of lines[token.line]) {
      const overlaps = piece.startIndex < token.column + token.text.length && piece.endIndex > token.column;
      if (overlaps && !piece.scopes.some((scope) => wanted.test(scope))) {
        faults.push(`${file}:${token.line + 1}:${token.column + 1} ${role} ${JSON.stringify(token.text)} has ${piece.scopes.slice(1).join(" ") || "no scope"}`);
        break;
      }
      if (overlaps && token.kind !== "string" && piece.scopes.some((scope) => scope.startsWith("invalid."))) {
        faults.push(`${file}:${token.line + 1}: ${token.text} is marked invalid`);
      }
    }
  }
  return { count: tokens.length, faults };
}

// Each word list of the grammar must be coloured as what it is, in the place where the language has it.
function checkLists(grammar, repository) {
  const words = (key) => /\(((?:\w+\|)*\w+)\)/.exec(repository[key].match.replaceAll("(?:^|", ""))[1].split("|");
  const places = {
    items: (w) => [`${w} name {`, w, /^keyword\.declaration\.item/],
    steps: (w) => [`  ${w} a`, w, /^keyword\.control\.step/],
    types: (w) => [`  a: ${w}`, w, /^support\.type/],
    maps: (w) => [`  map a with ${w}`, w, /^support\.function\.map/],
    functions: (w) => [`  derive a = ${w}(b)`, w, /^support\.function\.dbjob/],
    algorithms: (w) => [`  fit ${w}`, w, /^support\.class\.algorithm/],
    metrics: (w) => [`  evaluate ${w}`, w, /^support\.function\.metric/],
    sources: (w) => [`dataset a from ${w}("x")`, w, /^support\.function\.source/],
    sinks: (w) => [`  to ${w}("x")`, w, /^support\.function\.sink/],
    reserved: (w) => [`  filter x ${w} y`, w, /^(keyword\.(operator\.word|control\.conditional)|constant\.language)/],
  };
  const faults = [];
  for (const [key, place] of Object.entries(places)) {
    for (const word of words(key)) {
      const [line, target, wanted] = place(word);
      const start = line.search(new RegExp(`\\b${target}\\b`));
      const token = grammar.tokenizeLine(line, textmate.INITIAL).tokens.find((t) => t.startIndex <= start && t.endIndex > start);
      if (!token.scopes.some((s) => wanted.test(s))) faults.push(`${key}: ${word} in ${JSON.stringify(line)} has ${token.scopes.slice(1)}`);
    }
  }
  return faults;
}

const grammar = await loadGrammar();
const examples = readdirSync(join(root, "examples")).filter((f) => f.endsWith(".dbjob")).map((f) => join(root, "examples", f));
assert.ok(examples.length >= 4, "the examples are where this test looks for them");
const files = [join(here, "whole.dbjob"), join(here, "contextual.dbjob"), ...examples];
const faults = checkLists(grammar, JSON.parse(readFileSync(grammarFile, "utf8")).repository);
let count = 0;
for (const file of files) {
  const result = check(grammar, file);
  count += result.count;
  faults.push(...result.faults);
}
for (const fault of faults) console.error(fault.replaceAll(root + "/", ""));
if (faults.length > 0) {
  console.error(`highlight: ${faults.length} faults`);
  process.exit(1);
}
console.log(`highlight: ${count} tokens of ${files.length} files, each with its scope`);
