//! Records as a FHIR R4 server shows them: which types there are and what can be searched for ([`SERVED`]), records made ready to be
//! served ([`Shelf`]), and searching them ([`Query`]).
//!
//! What a record says is carried as it is, digit for digit. Only its id, its `meta` and its references are written anew:
//!
//! - The logical id is made of the patient, the hospital, and the hospital's own type and id ([`logical_id`]): it stays the same over
//!   all versions, and says whose record it is without telling who that is.
//! - A reference leads to what is served beside it, or names what it named by an identifier.

mod index;
mod query;
mod shelf;
mod table;

pub use index::Index;
pub use query::{ALTERNATIVES_MAX, Query, QueryError, Term};
pub use shelf::{Item, Shelf, ShelfRecord, Unservable, logical_id};
pub use table::{Parameter, ParameterKind, SERVED, Served, Source, served};

#[cfg(test)]
mod tests;
