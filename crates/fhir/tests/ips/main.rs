//! The International Patient Summary, as the doctor sees it who gets it.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod export;
mod independent;
mod making;
mod meaning;
