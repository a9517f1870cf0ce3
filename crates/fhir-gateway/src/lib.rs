//! A hospital's FHIR gateway: FHIR R4 read and search over what patients opened to one reader.
//!
//! It is a wallet without a window. The process holds the key file of a reader, asks the consortium as that reader's wallet would,
//! states each reading on the ledger before anything is fetched, decrypts in memory, and answers systems of the hospital that
//! show a token. No node of the ledger gains anything by it; `docs/decisions/0021-fhir-gateway.md` says why.
//!
//! | module | for |
//! | --- | --- |
//! | [`config`], [`clients`] | what the operator settles, and who may ask |
//! | [`request`], [`outcome`] | questions as they come in, bounded, and every way to say no |
//! | [`opened`] | readings, and what was read, for some minutes |
//! | [`app`], [`capability`] | answers, and what the server says it can do |
//! | [`start`], [`serve`] | the reader's wallet, and sockets |

pub mod app;
mod bundle;
pub mod capability;
pub mod clients;
pub mod config;
pub mod opened;
pub mod outcome;
pub mod request;
pub mod serve;
pub mod start;
