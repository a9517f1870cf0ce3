// Runs every golden proof file through the package in Node and in headless Chromium, and compares each verdict with the one in
// verdicts.json, which the native verifier and the one in Python are held to as well.
//
//     node vectors.mjs PACKAGE GOLDEN CHROMIUM [SWITCH…]
//
// PACKAGE holds web/ and nodejs/ (cargo xtask wasm-package), GOLDEN the golden files. Nothing is fetched: the page holds all.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [packageFolder, golden, chromium, ...switches] = process.argv.slice(2);

/** Says of each file what verdicts.json says. Runs in Node and, as text, in the page: it may use nothing from outside. */
function judge(Trust, genesis, files) {
  const line = ({ kind, block, ...fact }) => {
    const start = `${kind} ${block.height}`;
    switch (kind) {
      case "header": return `header ${block.height} ${block.hash}`;
      case "receipts": return [start, ...fact.receipts.map((receipt) => receipt.digest)].join(" ");
      case "history": return `${start} ${fact.did} ${fact.entries.length} ${fact.head}`;
      case "state": return [start, ...fact.entries.map((entry) =>
        `${entry.place}=${entry.kind === "proven-absent" ? "absent" : entry.digest}`).sort()].join(" ");
      default: throw new Error(`unknown fact ${kind}`);
    }
  };
  const trust = Trust.genesis(genesis);
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => {
    const verdict = trust.verifyProof(bytes);
    switch (verdict.kind) {
      case "proven": return [name, { anchor: verdict.anchor.hash, facts: verdict.facts.map(line) }];
      case "refused": return [name, { breaks: verdict.reason.code }];
      default: throw new Error(`unknown verdict ${verdict.kind}`);
    }
  }));
}

/** A page with the package, the files and `judge` inside, which leaves its answers in its title's place. */
function page(genesis, files) {
  const base64 = (bytes) => Buffer.from(bytes).toString("base64");
  const script = readFileSync(join(packageFolder, "web/amulet-verifier.js"));
  const wasm = readFileSync(join(packageFolder, "web/amulet-verifier_bg.wasm"));
  const inside = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, base64(bytes)]));
  return `<!doctype html><meta charset="utf-8"><pre id="answers">nothing</pre><script type="module">
    import { initSync, Trust } from "data:text/javascript;base64,${base64(script)}";
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const files = Object.entries(${JSON.stringify(inside)}).map(([name, text]) => [name, bytes(text)]);
    initSync({ module: bytes("${base64(wasm)}") });
    const answers = (${judge})(Trust, bytes("${base64(genesis)}"), Object.fromEntries(files));
    document.getElementById("answers").textContent = "answers:" + btoa(JSON.stringify(answers)) + ":end";
  </script>`;
}

function inChromium(genesis, files) {
  const folder = mkdtempSync(join(tmpdir(), "amulet-vectors-"));
  try {
    const file = join(folder, "page.html");
    writeFileSync(file, page(genesis, files));
    const flags = [...switches, `--user-data-dir=${join(folder, "profile")}`, "--virtual-time-budget=120000", "--dump-dom"];
    const { stdout, stderr, error } = spawnSync(chromium, [...flags, `file://${file}`], { encoding: "utf8", maxBuffer: 1 << 26 });
    const found = /answers:([A-Za-z0-9+/=]+):end/.exec(stdout ?? "");
    if (!found) throw new Error(`Chromium gave no answers. ${error ?? ""}\n${stderr}`);
    return JSON.parse(Buffer.from(found[1], "base64").toString());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const genesis = readFileSync(join(golden, "genesis.bin"));
const wanted = JSON.parse(readFileSync(join(golden, "verdicts.json"), "utf8"));
const names = readdirSync(golden).filter((name) => name.endsWith(".amuletproof"));
const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(golden, name))]));
const { Trust } = createRequire(import.meta.url)(resolve(packageFolder, "nodejs/amulet-verifier.js"));

let failures = 0;
for (const [place, run] of [["Node", () => judge(Trust, genesis, files)], ["Chromium", () => inChromium(genesis, files)]]) {
  const found = run();
  const differ = [...new Set([...Object.keys(wanted), ...names])]
    .filter((name) => JSON.stringify(found[name]) !== JSON.stringify(wanted[name]));
  for (const name of differ) {
    console.error(`${place}, ${name}: ${JSON.stringify(found[name])}, wanted ${JSON.stringify(wanted[name])}`);
  }
  console.log(`${place}: ${names.length} golden files, ${names.length - differ.length} with the right verdict`);
  failures += differ.length;
}
process.exit(failures === 0 && names.length > 0 ? 0 : 1);
