//! The pages: they fetch, and let components render.

pub mod checking;
mod checking_cost;
pub mod checkpoint;
pub mod clinician;
pub mod collect_sheets;
pub mod console;
pub mod inbox;
mod missing;
pub mod patient;
pub mod save_file;
pub mod security;
pub mod settings;
pub mod start;
