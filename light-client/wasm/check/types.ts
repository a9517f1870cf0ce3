// Compiled, never run: fails to compile when the package's types are not what its README promises.
import { Trust } from "../package/web/amulet-verifier.js";
import type { EventVerdict, HeaderVerdict, HistoryEvent, ProofVerdict, RefusalCode } from "../package/web/amulet-verifier.js";

const unreachable = (verdict: never): never => verdict;

/** Every kind must be handled, and each has just its own fields. */
export function proof(verdict: ProofVerdict): string {
  switch (verdict.kind) {
    case "proven": return `${verdict.anchor.height}: ${verdict.facts.length} facts`;
    case "refused": return verdict.reason.code;
    default: return unreachable(verdict);
  }
}

export function event(verdict: EventVerdict): string {
  switch (verdict.kind) {
    case "proven-present": return what(verdict.entry.event);
    case "proven-absent": return `not up to block ${verdict.anchor.height}`;
    case "not-covered": return "not in this file";
    case "refused": return verdict.reason.message;
    default: return unreachable(verdict);
  }
}

/** An event has the fields of its kind. */
function what(event: HistoryEvent): string {
  switch (event.kind) {
    case "records-read": return `${event.practitioner} read ${event.records} under ${event.grant}`;
    case "access-revoked": return event.eraseBy === null ? "nothing was read" : new Date(event.eraseBy).toISOString();
    default: return event.kind;
  }
}

export function header(verdict: HeaderVerdict): number | string {
  switch (verdict.kind) {
    case "verified": return verdict.block.signed / verdict.block.validators;
    case "unknown-validators": return verdict.found;
    case "refused": return verdict.reason.code;
    default: return unreachable(verdict);
  }
}

export const answers = (document: Uint8Array, file: Uint8Array): [string, string, number | string] => {
  const trust = Trust.genesis(document);
  return [
    proof(trust.verifyProof(file)),
    event(trust.findEvent(file, "did:amulet:…", "00")),
    header(trust.verifyHeader(file, Date.now())),
  ];
};

export const codes: readonly RefusalCode[] = ["magic", "epoch-signer-order", "anchor-too-few", "state-not-covered", "range-root"];

// @ts-expect-error A code that no rule has.
export const noCode: RefusalCode = "anchor-nonsense";
// @ts-expect-error A verdict is no truth value, and no text.
export const noBool: boolean = Trust.genesis(new Uint8Array()).verifyProof(new Uint8Array());
// @ts-expect-error What was refused proves nothing.
export const noFacts = (verdict: ProofVerdict) => verdict.facts;
