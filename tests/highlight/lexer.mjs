// A small reader of job files, independent of the TextMate grammar: it says of every token what it is.
// It knows brackets and statements; the grammar under test knows lines and lookarounds.

const RULES = [
  ["doc", /##(?!#).*/y],
  ["comment", /#.*/y],
  ["string", /"(?:\\.|[^"\\\n])*"/y],
  ["backtick", /`[^`\n]+`/y],
  ["date", /@[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)?/y],
  ["number", /[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:e[+-]?[0-9]+)?(?:[A-Za-z]+|%)?/y],
  ["word", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["symbol", /\.\.=|\.\.|\*\*|==|=>|!=|<=|>=|\?\?|\/\/|[-+*\/%<>=?:,;.(){}[\]]/y],
  ["newline", /\n/y],
  ["space", /[ \t\r]+/y],
];

const OPERATORS = new Set(["and", "or", "not", "in", "is"]);
const CONDITIONALS = new Set(["if", "then", "else", "match"]);
const CONSTANTS = new Set(["true", "false", "null"]);

// Blocks whose statements are verbs; all others hold settings, options, derived columns, rows or arms.
const VERB_BLOCKS = new Set(["dataset", "transform", "model", "deploy", "test", "extern"]);

function numberKind(text) {
  if (text.endsWith("%")) return "percentage";
  if (/[0-9](?:ms|min|s|h|d|w)$/.test(text)) return "duration";
  if (/[0-9](?:[kKMGT]i?)?B$/.test(text)) return "size";
  return /[.e]/.test(text) ? "float" : "integer";
}

export function lex(text) {
  const tokens = [];
  let at = 0;
  let line = 0;
  let column = 0;
  while (at < text.length) {
    const rule = RULES.find(([, pattern]) => ((pattern.lastIndex = at), pattern.test(text)));
    if (!rule) throw new Error(`line ${line + 1}: no token at ${JSON.stringify(text.slice(at, at + 10))}`);
    const end = rule[1].lastIndex;
    const token = { kind: rule[0], text: text.slice(at, end), line, column };
    if (token.kind !== "space") tokens.push(token);
    if (token.kind === "newline") [line, column] = [line + 1, 0];
    else column += end - at;
    at = end;
  }
  return tokens;
}

// Gives every token a `role`: doc, comment, string, …; a word is item, verb, reserved, or just word.
export function classify(text) {
  const tokens = lex(text);
  const meaningful = tokens.filter((t) => !["doc", "comment"].includes(t.kind));
  const blocks = []; // what opened each { ( [
  let statement = []; // the words since the last separator
  let start = true;
  for (const [i, token] of meaningful.entries()) {
    const next = meaningful[i + 1]?.text;
    const before = meaningful[i - 1];
    if (token.kind === "newline") {
      const inside = blocks.at(-1)?.bracket;
      if (inside !== "(" && inside !== "[" && before?.text !== ",") start = true;
      token.role = "newline";
      continue;
    }
    if (token.text === ";") start = true;
    else if ("([{".includes(token.text) && token.kind === "symbol") {
      const head = token.text === "{" ? (statement.find((w) => w.role === "item" || w.role === "verb")?.text ?? "") : "";
      blocks.push({ bracket: token.text, head, statement });
      if (token.text === "{") [statement, start] = [[], true];
    } else if (")]}".includes(token.text) && token.kind === "symbol") {
      statement = blocks.pop()?.statement ?? [];
    } else {
      const first = start && token.kind === "word";
      if (start) statement = [];
      start = false;
      token.role = role(token, first, next, blocks);
      if (token.kind === "word") statement.push(token);
      continue;
    }
    token.role = token.kind;
  }
  for (const token of tokens) token.role ??= token.kind;
  return tokens.filter((t) => t.kind !== "newline");
}

function role(token, first, next, blocks) {
  if (token.kind === "number") return numberKind(token.text);
  if (token.kind !== "word") return token.kind;
  if (OPERATORS.has(token.text)) return "operator";
  if (CONDITIONALS.has(token.text)) return "conditional";
  if (CONSTANTS.has(token.text)) return "constant";
  if (first && blocks.length === 0) return "item";
  if (first && VERB_BLOCKS.has(blocks.at(-1)?.head) && next !== ":" && next !== "=" && next !== "=>") return "verb";
  if (first && (next === "=" || next === ":")) return "named";
  return "word";
}
