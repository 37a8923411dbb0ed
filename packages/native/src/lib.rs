//! The cryptography of pq-websocket in AWS-LC, called through Node-API on the caller's own memory.
//!
//! Keys and secrets lie in vaults: JavaScript has a handle of a vault and numbers of what is in it, and never sees the bytes, which live
//! outside its heap and are overwritten when they are destroyed or the vault is collected. No function calls JavaScript, so nothing that an
//! argument stands for can be detached, resized or freed while one runs.

// A test that fails panics, and its sums are small.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(all(feature = "fips", not(feature = "non-fips")))]
use aws_lc_fips_sys as aws_lc;
#[cfg(feature = "non-fips")]
use aws_lc_sys as aws_lc;

mod aead;
// Under test there is no JavaScript that could call these.
#[cfg(not(test))]
mod bindings;
mod bytes;
mod deterministic;
mod hkdf;
mod kem;
mod mask;
mod nonces;
mod vault;

/// AWS-LC says no more than that it failed; where a caller can be at fault, arguments were checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl From<aws_lc_rs::error::Unspecified> for Failed {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for Failed {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}
