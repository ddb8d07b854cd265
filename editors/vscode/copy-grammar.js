// The grammar lives once, in grammar/; the extension carries a copy.
const { copyFileSync, mkdirSync } = require("node:fs");
const { join } = require("node:path");

mkdirSync(join(__dirname, "syntaxes"), { recursive: true });
copyFileSync(join(__dirname, "..", "..", "grammar", "dbjob.tmLanguage.json"), join(__dirname, "syntaxes", "dbjob.tmLanguage.json"));
