//! What every party must agree on byte for byte: identifiers, transactions, blocks, certificates, trees and proofs, and
//! the questions a light client asks.
//!
//! Everything is encoded by `borsh`, which has one encoding for each value, and hashed by SM3 under a domain tag. What
//! arrives from outside is decoded by [`codec::decode`] under a named size limit into a type whose name says
//! `Untrusted`, or that proves nothing by itself; each check that turns it into something to rely on is in this crate,
//! so that a node and a light client cannot differ.
//!
//! Without the feature `std` (on unless switched off) the crate needs no operating system.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod addresses;
pub mod block;
pub mod calls;
pub mod certificate;
pub mod codec;
pub mod consensus;
pub mod consent;
pub mod erasure;
pub mod evidence;
pub mod fork;
pub mod fork_file;
pub mod genesis;
pub mod governance;
pub mod grant;
pub mod grant_keys;
pub mod grantee;
pub mod header;
pub mod history;
pub mod ids;
#[cfg(feature = "std")]
pub mod large;
pub mod light;
pub mod limits;
pub mod links;
pub mod merkle;
pub mod multiproof;
pub mod proof_file;
pub mod quorum;
pub mod range;
pub mod receipt;
pub mod record;
pub mod replacement;
pub mod reputation;
pub mod rules;
pub mod state;
pub mod state_batch;
pub mod state_tree;
pub mod study;
pub mod transaction;
pub mod validators;
pub mod verdict;
