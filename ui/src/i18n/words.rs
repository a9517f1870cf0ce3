//! The key of every closed list that the wallet speaks in. A match without a wildcard makes the compiler ask for a
//! word when a variant is added; the arrays let a test ask whether both languages have it.

use amulet_app_api::ErrorCode;
use amulet_app_api::access::{EmergencyReason, LogEvent, PractitionerRole, ProofCheck, Purpose, ShareState};
use amulet_app_api::card::{FactKind, SummarySection};
use amulet_app_api::checking::{HospitalAnswer, MemoryTrouble, ToldAnswer};
use amulet_app_api::clinician::{AskFor, MyAccessState};
use amulet_app_api::erasure::{ErasureGround, KeepReason};
use amulet_app_api::links::LinkStanding;
use amulet_app_api::records::{Category, DataClass, MedicineStanding, Standing, StoryStep};
use amulet_app_api::wallet::{Role, StrengthHint, Task};

macro_rules! words {
    ($(#[$meta:meta])* $function:ident, $all:ident: $type:ident { $($variant:ident => $key:literal,)* }) => {
        $(#[$meta])*
        pub fn $function(value: &$type) -> &'static str {
            match value {
                $($type::$variant { .. } => $key,)*
            }
        }

        #[cfg(test)]
        pub const $all: &[&str] = &[$($key),*];
    };
}

words! {
    /// How a value stands to its reference range.
    standing, STANDINGS: Standing {
        Low => "standing-low",
        Within => "standing-within",
        High => "standing-high",
    }
}

words! {
    /// Whether a medicine is taken.
    medicine_standing, MEDICINE_STANDINGS: MedicineStanding {
        Current => "medicine-current",
        OnHold => "medicine-on-hold",
        NotSaid => "medicine-not-said",
        Past => "medicine-past",
    }
}

words! {
    /// What a hospital did in a check; the attribute `means` says what that says of it.
    hospital_answer, HOSPITAL_ANSWERS: HospitalAnswer {
        Agrees => "answer-agrees",
        Behind => "answer-behind",
        Unproven => "answer-unproven",
        NothingYet => "answer-nothing-yet",
        NotAsked => "answer-not-asked",
        Silent => "answer-silent",
        Elsewhere => "answer-elsewhere",
        Refused => "answer-refused",
        OtherGroup => "answer-other-group",
        AheadOfClock => "answer-ahead-of-clock",
        Forged => "answer-forged",
        Contradicts => "answer-contradicts",
    }
}

words! {
    /// What is wrong with what this device keeps of its checks.
    memory_trouble, MEMORY_TROUBLES: MemoryTrouble {
        Rebuilt => "memory-rebuilt",
        NotKept => "memory-not-kept",
        StartLost => "memory-start-lost",
    }
}

words! {
    /// What a hospital said when it was shown a contradiction.
    told_answer, TOLD_ANSWERS: ToldAnswer {
        Convicts => "told-convicts",
        Alarmed => "told-alarmed",
        Denied => "told-denied",
    }
}

words! {
    /// What an error is called; its attributes `means` and `next` say the rest.
    error, ERRORS: ErrorCode {
        WrongPassphrase => "error-wrong-passphrase",
        WeakPassphrase => "error-weak-passphrase",
        Locked => "error-locked",
        NoSuchWallet => "error-no-such-wallet",
        WordUnknown => "error-word-unknown",
        WordCount => "error-word-count",
        WordChecksum => "error-word-checksum",
        WordLanguages => "error-word-languages",
        WordsDiffer => "error-words-differ",
        NoPendingWords => "error-no-pending-words",
        Unreachable => "error-unreachable",
        TooFewWitnesses => "error-too-few-witnesses",
        Disagreement => "error-disagreement",
        Forged => "error-forged",
        Stale => "error-stale",
        ClockBehind => "error-clock-behind",
        Refused => "error-refused",
        NotCommitted => "error-not-committed",
        CodeNotOurs => "error-code-not-ours",
        CodeDamaged => "error-code-damaged",
        CheckpointCode => "error-checkpoint-code",
        CheckpointWord => "error-checkpoint-word",
        CheckpointWordCount => "error-checkpoint-word-count",
        CheckpointDiffers => "error-checkpoint-differs",
        CardRevoked => "error-card-revoked",
        CardUnknown => "error-card-unknown",
        NoQrInPicture => "error-no-qr-in-picture",
        FhirRefused => "error-fhir-refused",
        TooLarge => "error-too-large",
        RecordUnavailable => "error-record-unavailable",
        GrantEnded => "error-grant-ended",
        NotAClinician => "error-not-a-clinician",
        NotFound => "error-not-found",
        Storage => "error-storage",
        TooManyTries => "error-too-many-tries",
        KeysReplaced => "error-keys-replaced",
        WordsReplaced => "error-words-replaced",
        SheetWord => "error-sheet-word",
        SheetWordCount => "error-sheet-word-count",
        SheetChecksum => "error-sheet-checksum",
        SheetOther => "error-sheet-other",
        SheetsMixed => "error-sheets-mixed",
        SheetsTooFew => "error-sheets-too-few",
        SheetsContradict => "error-sheets-contradict",
        SheetsElsewhere => "error-sheets-elsewhere",
        WalletExists => "error-wallet-exists",
        BackupNotOurs => "error-backup-not-ours",
        OtherNetwork => "error-other-network",
        MoveCode => "error-move-code",
        MoveOver => "error-move-over",
        BadRequest => "error-bad-request",
        Internal => "error-internal",
    }
}

words! {
    /// A category of records.
    category, CATEGORIES: Category {
        Allergies => "category-allergies",
        Conditions => "category-conditions",
        Medicines => "category-medicines",
        Labs => "category-labs",
        VitalSigns => "category-vital-signs",
        Immunizations => "category-immunizations",
        Procedures => "category-procedures",
        Imaging => "category-imaging",
        Visits => "category-visits",
        CarePlans => "category-care-plans",
        Documents => "category-documents",
        Devices => "category-devices",
        Social => "category-social",
        Administrative => "category-administrative",
        Billing => "category-billing",
        Other => "category-other",
    }
}

/// Every category, in the order a clinician is offered them.
pub const ASKABLE: [Category; 16] = [
    Category::Allergies,
    Category::Conditions,
    Category::Medicines,
    Category::Labs,
    Category::VitalSigns,
    Category::Immunizations,
    Category::Procedures,
    Category::Imaging,
    Category::Visits,
    Category::CarePlans,
    Category::Documents,
    Category::Devices,
    Category::Social,
    Category::Administrative,
    Category::Billing,
    Category::Other,
];

words! {
    /// How sensitive a record is.
    class, CLASSES: DataClass {
        Public => "class-public",
        Internal => "class-internal",
        Sensitive => "class-sensitive",
        Core => "class-core",
    }
}

words! {
    /// What happened, as a line of the log; `{ $who }` did it.
    log_event, LOG_EVENTS: LogEvent {
        IdentityRegistered => "log-identity-registered",
        RecordsRegistered => "log-records-registered",
        CardMade => "log-card-made",
        CardRevoked => "log-card-revoked",
        EmergencyDeclared => "log-emergency-declared",
        EmergencyDisputed => "log-emergency-disputed",
        EmergencyReviewed => "log-emergency-reviewed",
        AccessRequested => "log-access-requested",
        AccessGranted => "log-access-granted",
        AccessDeclined => "log-access-declined",
        AccessRevoked => "log-access-revoked",
        AccessNarrowed => "log-access-narrowed",
        AccessExtended => "log-access-extended",
        RecordsOpened => "log-records-opened",
        AccessPaused => "log-access-paused",
        AccessResumed => "log-access-resumed",
        DeletionConfirmed => "log-deletion-confirmed",
        RecordsRead => "log-records-read",
        OpenedToMe => "log-opened-to-me",
        OpenedToMeChanged => "log-opened-to-me-changed",
        OpenedToMeRevoked => "log-opened-to-me-revoked",
        ReadByMe => "log-read-by-me",
        DeletedByMe => "log-deleted-by-me",
        ErasureAsked => "log-erasure-asked",
        ErasureOrdered => "log-erasure-ordered",
        ErasureRefused => "log-erasure-refused",
        ErasureConfirmed => "log-erasure-confirmed",
        KeysReplaced => "log-keys-replaced",
    }
}

words! {
    /// What happened to a record, as a line of its story.
    story_step, STORY_STEPS: StoryStep {
        Registered => "story-registered",
        Amended => "story-amended",
        Opened => "story-opened",
        Paused => "story-paused",
        Resumed => "story-resumed",
        Extended => "story-extended",
        Read => "story-read",
        Closed => "story-closed",
        Deleted => "story-deleted",
        ErasureAsked => "story-erasure-asked",
        ErasureRefused => "story-erasure-refused",
        Erased => "story-erased",
        ErasureConfirmed => "story-erasure-confirmed",
    }
}

words! {
    /// Why a hospital has records erased.
    erasure_ground, ERASURE_GROUNDS: ErasureGround {
        PatientAsked => "erasure-ground-patient-asked",
        RetentionOver => "erasure-ground-retention-over",
        RegisteredInError => "erasure-ground-registered-in-error",
        Ordered => "erasure-ground-ordered",
    }
}

words! {
    /// Why a hospital keeps records that the person asked to have erased.
    keep_reason, KEEP_REASONS: KeepReason {
        Retention => "keep-reason-retention",
        Dispute => "keep-reason-dispute",
        PublicHealth => "keep-reason-public-health",
    }
}

words! {
    /// What the light client checked; the attribute `more` explains it.
    proof_check, PROOF_CHECKS: ProofCheck {
        Certificate => "check-certificate",
        HeaderRange => "check-header-range",
        Receipt => "check-receipt",
        History => "check-history",
        State => "check-state",
        Ciphertext => "check-ciphertext",
        Witnesses => "check-witnesses",
    }
}

words! {
    /// What a practitioner is at their hospital; one of them, inside a sentence.
    practitioner_role, PRACTITIONER_ROLES: PractitionerRole {
        Attending => "role-attending",
        Resident => "role-resident",
        Intern => "role-intern",
        Nurse => "role-nurse",
        Pharmacist => "role-pharmacist",
        Technician => "role-technician",
        Researcher => "role-researcher",
        Assessor => "role-assessor",
    }
}

words! {
    /// For whom a clinician asks.
    ask_for, ASK_FORS: AskFor {
        Myself => "ask-for-myself",
        MyDepartment => "ask-for-department",
        MyHospital => "ask-for-hospital",
    }
}

words! {
    /// Why data is asked for.
    purpose, PURPOSES: Purpose {
        Treatment => "purpose-treatment",
        SecondOpinion => "purpose-second-opinion",
        OngoingCare => "purpose-ongoing-care",
        FamilyCarer => "purpose-family-carer",
        Emergency => "purpose-emergency",
        InsuranceClaim => "purpose-insurance-claim",
        Research => "purpose-research",
    }
}

words! {
    /// Grounds for an emergency access.
    reason, REASONS: EmergencyReason {
        Unconscious => "reason-unconscious",
        CannotCommunicate => "reason-cannot-communicate",
        LifeThreatening => "reason-life-threatening",
        Other => "reason-other",
    }
}

words! {
    /// Advice for a better passphrase.
    hint, HINTS: StrengthHint {
        Longer => "hint-longer",
        Common => "hint-common",
        Pattern => "hint-pattern",
        MoreWords => "hint-more-words",
    }
}

words! {
    /// What a long task is doing.
    task, TASKS: Task {
        Unlocking => "task-unlocking",
        WaitingForHospitals => "task-waiting-for-hospitals",
        Checking => "task-checking",
        Fetching => "task-fetching",
        Decrypting => "task-decrypting",
        Sealing => "task-sealing",
        TakingIn => "task-taking-in",
        SavingFile => "task-saving-file",
    }
}

words! {
    /// A kind of fact on the card.
    fact_kind, FACT_KINDS: FactKind {
        Name => "fact-name",
        BirthYear => "fact-birth-year",
        BloodGroup => "fact-blood-group",
        Allergy => "fact-allergy",
        Medicine => "fact-medicine",
        Condition => "fact-condition",
        Device => "fact-device",
        Contact => "fact-contact",
    }
}

words! {
    /// A section of the summary.
    section, SECTIONS: SummarySection {
        Allergies => "section-allergies",
        BloodGroup => "section-blood-group",
        Medicines => "section-medicines",
        Conditions => "section-conditions",
        Devices => "section-devices",
        Immunizations => "section-immunizations",
        Contacts => "section-contacts",
    }
}

words! {
    /// The state of a share, as the patient sees it.
    share_state, SHARE_STATES: ShareState {
        Active => "share-active",
        Paused => "share-paused",
        UsedUp => "share-used-up",
        Expired => "share-expired",
        Revoked => "share-revoked",
    }
}

words! {
    /// Whether a link can be opened.
    link_standing, LINK_STANDINGS: LinkStanding {
        Open => "link-open",
        Expired => "link-expired",
        Revoked => "link-revoked",
        Guessed => "link-guessed",
    }
}

words! {
    /// The state of an access, as the clinician sees it.
    access_state, ACCESS_STATES: MyAccessState {
        Waiting => "access-waiting",
        Declined => "access-declined",
        Unanswered => "access-unanswered",
        Active => "access-active",
        Paused => "access-paused",
        UsedUp => "access-used-up",
        Expired => "access-expired",
        Revoked => "access-revoked",
        Emergency => "access-emergency",
        EmergencyEnded => "access-emergency-ended",
    }
}

words! {
    /// Whose wallet it is.
    role, ROLES: Role {
        Patient => "role-patient",
        Clinician => "role-clinician",
    }
}
