//! pq-websocket in Rust, written from PROTOCOL.md alone ("section n" below is a section of that document).
//!
//! Everything but [`socket`], [`server`] and [`client`] is sans-I/O: bytes and the time go in, bytes and events come out, so that
//! each rule can be tested without a network.
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

pub mod attestation;
pub mod client;
pub mod content;
pub mod crypto;
pub mod failure;
pub mod fast_open;
pub mod hello;
pub mod identity;
pub mod kem;
pub mod profile;
pub mod protocol;
pub mod record;
pub mod schedule;
pub mod server;
pub mod socket;
pub mod v1;
pub mod work;
pub mod yellowpages;
