//! The pages: they fetch, and let components render.

pub mod checking;
mod checking_cost;
pub mod checkpoint;
pub mod clinician;
pub mod patient;
pub mod replace_keys;
pub mod save_file;
pub mod settings;
pub mod start;
