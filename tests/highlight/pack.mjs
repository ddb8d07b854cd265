// The extension must pack into a .vsix that holds the very grammar of the project.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const extension = join(root, "editors", "vscode");
const folder = mkdtempSync(join(tmpdir(), "dbjob-vsix-"));
try {
  const vsix = join(folder, "dbjob.vsix");
  const vsce = join(here, "node_modules", ".bin", "vsce");
  execFileSync(vsce, ["package", "--no-dependencies", "--out", vsix], { cwd: extension, stdio: ["ignore", "pipe", "inherit"] });
  const unzip = (name) =>
    execFileSync("python3", ["-c", "import sys,zipfile;sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))", vsix, name]);
  const packed = unzip("extension/syntaxes/dbjob.tmLanguage.json");
  assert.ok(packed.equals(readFileSync(join(root, "grammar", "dbjob.tmLanguage.json"))), "the packed grammar is the project's");
  const manifest = JSON.parse(unzip("extension/package.json").toString());
  assert.equal(manifest.contributes.grammars[0].scopeName, JSON.parse(packed.toString()).scopeName);
  JSON.parse(unzip("extension/language-configuration.json").toString());
  console.log(`pack: ${statSync(vsix).size} bytes of .vsix`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
