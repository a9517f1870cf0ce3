//! The clinician's pages: for one hand, bad light and ten seconds.

pub mod accesses;
pub mod ask;
pub mod declare;
pub mod emergency;
mod find;
pub mod intake;
pub mod reading;
pub mod scan;
