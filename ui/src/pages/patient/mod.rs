//! The patient's pages.

pub mod abroad;
pub mod card;
mod card_forms;
pub mod card_make;
pub mod card_print;
mod choose_records;
pub mod code;
mod erasure;
pub mod events;
pub mod give;
pub mod home;
pub mod hospitals;
pub mod labs;
mod large;
pub mod log;
pub mod log_line;
pub mod medicines;
pub mod narrow;
pub mod preferences;
pub mod record;
pub mod record_story;
pub mod records;
pub mod request;
pub mod research;
mod share;
pub mod sharing;
pub mod study;
