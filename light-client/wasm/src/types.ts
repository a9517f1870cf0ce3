/** Why something is refused: `code` for programs (`RefusalCode`), `message` for developers and logs, in English. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

/** Nothing of what was claimed is to be relied on. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: Refusal;
}

/** The rules by their names in Amulet's specification ("Proof files"); the first that is broken. */
export type RefusalCode =
  // What the page brought.
  | "genesis" | "checkpoint" | "question" | "number"
  // The file.
  | "magic" | "version" | "decode" | "chain" | "epochs" | "statements" | "no-header" | "unused-header"
  // A certificate: of an epoch's end, of the anchor, of a single header.
  | `${"epoch-" | "anchor-" | ""}${CertificateRule}`
  | "epoch-first" | "epoch-goes-on" | "epoch-set" | "anchor-epoch"
  // Headers.
  | "from-future" | "time-not-later" | "not-higher" | "previous-hash" | "range"
  // Proofs.
  | `range-${ShapeRule | "too-high"}`
  | `receipts-${ShapeRule | "leaves"}`
  | `state-${StateRule}`
  | "history-value" | "history-number" | "history-count" | "history-head";

type CertificateRule =
  | "version" | "chain" | "height" | "header-hash" | "validator-set" | "too-few" | "signer-order" | "unknown-signer" | "signature";
type ShapeRule = "too-many" | "count" | "beyond" | "order" | "nothing" | "too-short" | "unused" | "root";
type StateRule =
  | "keys" | "count" | "duplicate" | "too-short" | "superfluous" | "too-deep" | "not-covered" | "claim" | "place" | "root";

/** A block. `time` is in milliseconds since 1970, as `Date` takes it; `hash` is hexadecimal. */
export interface Block {
  readonly height: number;
  readonly time: number;
  readonly hash: string;
}

/** A block that `signed` of `validators` validators signed: a quorum. */
export interface SignedBlock extends Block {
  readonly signed: number;
  readonly validators: number;
}

/**
 * What happened. Times are in milliseconds since 1970. A `did:amulet:…` names a person or an organisation; grants, requests, declarations and
 * proposals are named by the transaction that made them.
 */
export type HistoryEvent =
  | { readonly kind: "identity-registered" }
  | { readonly kind: "practitioner-registered"; readonly practitioner: string }
  | { readonly kind: "records-registered"; readonly provider: string; readonly records: number }
  | { readonly kind: "access-requested"; readonly request: string; readonly practitioner: string; readonly patient: string }
  | { readonly kind: "access-granted"; readonly grant: string; readonly request: string | null; readonly grantee: string }
  | { readonly kind: "access-declined"; readonly request: string; readonly practitioner: string }
  | { readonly kind: "access-revoked"; readonly grant: string; readonly grantee: string; readonly eraseBy: number | null }
  | { readonly kind: "records-read"; readonly grant: string; readonly practitioner: string; readonly records: number }
  | { readonly kind: "card-published"; readonly locator: string }
  | { readonly kind: "card-revoked"; readonly locator: string }
  | { readonly kind: "emergency-declared"; readonly declaration: string; readonly locator: string; readonly practitioner: string; readonly until: number }
  | { readonly kind: "membership-proposed"; readonly proposal: string; readonly organisation: string }
  | { readonly kind: "membership-approved"; readonly proposal: string; readonly organisation: string }
  | { readonly kind: "membership-withdrawn"; readonly proposal: string; readonly organisation: string }
  | { readonly kind: "membership-decided"; readonly proposal: string; readonly first: number }
  | { readonly kind: "validator-key-rotated"; readonly seat: number; readonly first: number }
  | { readonly kind: "evidence-recorded"; readonly epoch: number; readonly offender: number; readonly message: "pre-prepare" | "prepare" | "commit" | "checkpoint"; readonly height: number; readonly reporter: string }
  | { readonly kind: "access-narrowed"; readonly grant: string; readonly grantee: string }
  | { readonly kind: "access-extended"; readonly grant: string; readonly grantee: string; readonly until: number }
  | { readonly kind: "access-paused"; readonly grant: string; readonly grantee: string }
  | { readonly kind: "access-resumed"; readonly grant: string; readonly grantee: string }
  | { readonly kind: "deletion-confirmed"; readonly grant: string; readonly grantee: string }
  | { readonly kind: "staff-key-published" }
  | { readonly kind: "records-opened"; readonly grant: string; readonly grantee: string; readonly provider: string; readonly records: number }
  | { readonly kind: "rules-proposed"; readonly proposal: string; readonly organisation: string }
  | { readonly kind: "rules-approved"; readonly proposal: string; readonly organisation: string }
  | { readonly kind: "rules-withdrawn"; readonly proposal: string; readonly organisation: string }
  | { readonly kind: "rules-adopted"; readonly proposal: string; readonly version: number }
  | { readonly kind: "many-emergencies"; readonly practitioner: string; readonly declarations: number }
  | { readonly kind: "emergency-disputed"; readonly declaration: string; readonly practitioner: string }
  | { readonly kind: "emergency-reviewed"; readonly declaration: string; readonly practitioner: string; readonly finding: "justified" | "not_justified" }
  | { readonly kind: "board-voted"; readonly board: string; readonly organisation: string }
  | { readonly kind: "board-named"; readonly board: string }
  | { readonly kind: "board-dismissed"; readonly board: string }
  | { readonly kind: "study-registered"; readonly study: string; readonly sponsor: string; readonly board: string }
  | { readonly kind: "study-reviewed"; readonly study: string; readonly board: string; readonly approved: boolean }
  | { readonly kind: "study-ended"; readonly study: string; readonly by: string }
  | { readonly kind: "erasure-requested"; readonly provider: string; readonly records: number }
  | { readonly kind: "erasure-ordered"; readonly provider: string; readonly ground: "patient_asked" | "retention_over" | "registered_in_error" | "ordered"; readonly records: number; readonly confirmBy: number }
  | { readonly kind: "erasure-refused"; readonly provider: string; readonly reason: "retention" | "dispute" | "public_health"; readonly records: number; readonly until: number }
  | { readonly kind: "erasure-confirmed"; readonly holder: string; readonly records: number }
  | { readonly kind: "keys-replaced"; readonly identity: string };

/** An entry of a personal history. */
export interface HistoryEntry {
  readonly number: number;
  readonly height: number;
  readonly time: number;
  readonly transaction: string;
  readonly event: HistoryEvent;
}

/** What is proven about one key of the state. `place`, `value` and `digest` (SM3 of the value) are hexadecimal; `key` is for people. */
export type StateEntry =
  | { readonly kind: "proven-present"; readonly key: string; readonly place: string; readonly value: string; readonly digest: string }
  | { readonly kind: "proven-absent"; readonly key: string; readonly place: string };

/** What became of a transaction that is in a block. `digest` is SM3 of the receipt. */
export type Receipt =
  | { readonly kind: "applied"; readonly transaction: string; readonly digest: string }
  | { readonly kind: "declined"; readonly transaction: string; readonly digest: string; readonly code: string };

/** Something that a file proves. A history is complete: no entry up to its block is missing. */
export type Fact =
  | { readonly kind: "header"; readonly block: Block }
  | { readonly kind: "state"; readonly block: Block; readonly entries: readonly StateEntry[] }
  | { readonly kind: "receipts"; readonly block: Block; readonly receipts: readonly Receipt[] }
  | { readonly kind: "history"; readonly block: Block; readonly did: string; readonly head: string; readonly entries: readonly HistoryEntry[] };

/** All that a file proves, up to the block `anchor` and no later. */
export interface Proven {
  readonly kind: "proven";
  readonly chain: string;
  readonly anchor: SignedBlock;
  readonly epoch: number;
  readonly facts: readonly Fact[];
}

/** What is said of a proof file. */
export type ProofVerdict = Proven | Refused;

/** What a proof file says about a transaction in a history. `not-covered`: the history is not in the file, so nothing is said. */
export type EventVerdict =
  | { readonly kind: "proven-present"; readonly entry: HistoryEntry; readonly anchor: SignedBlock }
  | { readonly kind: "proven-absent"; readonly anchor: SignedBlock }
  | { readonly kind: "not-covered"; readonly anchor: SignedBlock }
  | Refused;

/** What is said of a signed header. `unknown-validators`: neither true nor false with what is trusted; a proof file leads further. */
export type HeaderVerdict =
  | { readonly kind: "verified"; readonly block: SignedBlock }
  | { readonly kind: "unknown-validators"; readonly found: string; readonly known: string }
  | Refused;
