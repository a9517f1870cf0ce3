//! Parts of pages: they render what they are given and never call the wallet.

pub mod actions;
pub mod check;
pub mod code_form;
pub mod copied;
pub mod dialog;
pub mod error;
pub mod field;
pub mod icon;
pub mod language;
pub mod load;
pub mod opened_link;
pub mod page;
pub mod people;
pub mod progress;
pub mod record;
pub mod relationship;
pub mod scanner;
pub mod shell;
pub mod terms;
pub mod trend;
