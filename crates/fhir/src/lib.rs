//! FHIR for Amulet: what comes in from hospitals, and what people see of it.
//!
//! - [`intake()`] splits a FHIR file into [`Record`]s, byte for byte, and says of every other entry why it was refused.
//! - [`quality`] says what in them is wrong or looks wrong.
//! - [`view::describe`] turns one record's content into what a wallet shows.
//! - [`summary::summarize`] builds the emergency summary from a patient's records.
//! - [`ips::ips_document`] makes the International Patient Summary of them, for another doctor.
//! - [`export`] writes grants, accesses and registrations as FHIR, and reads them back.
//! - [`rest`] makes records ready to be served and searched as FHIR.
//! - [`check_line`] is intake's judgement of a file, as one line.
//!
//! The crate does no I/O, has no clock, knows nothing of the chain, and also compiles to wasm. FHIR R4 is what it is made
//! for; what R4B and R5 renamed is read where that costs nothing.

mod blood;
mod bundle;
mod category;
mod check;
mod class;
mod date;
mod entry;
pub mod export;
mod facts;
mod identity;
mod intake;
pub mod ips;
mod json;
mod kept;
pub mod limits;
pub mod measured;
mod narrative;
pub mod quality;
mod record;
mod refusal;
pub mod rest;
pub mod summary;
mod text;
mod title;
pub mod view;

pub use category::Category;
pub use check::{CheckError, CheckLine, CheckRefusal, check_line};
pub use class::{ClassRule, DataClass};
pub use date::{RecordDate, unix_seconds};
pub use intake::intake;
pub use record::{Intake, PatientFacts, Record};
pub use refusal::{FileRefusal, Refusal, RefusalReason};
pub use title::Code;
