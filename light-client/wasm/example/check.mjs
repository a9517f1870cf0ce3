// Checks a proof file that a patient handed in: node check.mjs genesis.bin FILE.amuletproof
import { readFileSync } from "node:fs";
import { Trust } from "amulet-verifier";

const [genesis, file] = process.argv.slice(2).map((path) => readFileSync(path));
const trust = Trust.genesis(genesis); // from the consortium, not from whoever gave you the file
const verdict = trust.verifyProof(file);

switch (verdict.kind) {
  case "refused":
    console.error(`Do not rely on this file: ${verdict.reason.message} (${verdict.reason.code})`);
    process.exitCode = 1;
    break;
  case "proven": {
    const { height, time, signed, validators } = verdict.anchor;
    console.log(`Proven up to block ${height} of ${new Date(time).toISOString()}, signed by ${signed} of ${validators} hospitals:`);
    for (const fact of verdict.facts) {
      if (fact.kind === "history") {
        console.log(`the complete history of ${fact.did}, ${fact.entries.length} entries`);
        for (const entry of fact.entries) console.log(`  ${entry.number}. block ${entry.height}: ${entry.event.kind}`);
      } else if (fact.kind === "state") {
        for (const entry of fact.entries) console.log(`  ${entry.key}: ${entry.kind}`);
      } else {
        console.log(`${fact.kind} of block ${fact.block.height}`);
      }
    }
  }
}
