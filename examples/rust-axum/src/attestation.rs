//! What an attestation document has to say (sections 12 and 15). Making and verifying documents is the caller's.
use crate::crypto::sha256;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use std::fmt;

/// v1: the exact bytes of `user_data`.
pub fn user_data(th: &[u8; 32]) -> Vec<u8> {
    [b"pq-websocket/1 attestation\0", &th[..]].concat()
}

/// yellowpages: `user_data` is this text, base64 of JSON.
pub fn yellowpages_user_data(ciphertext: &[u8]) -> Vec<u8> {
    let hash = STANDARD.encode(sha256(&[ciphertext]));
    STANDARD.encode(format!(r#"{{"ml_kem_768_ciphertext_hash":"{hash}"}}"#)).into_bytes()
}

type Make = dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync;
type Accept = dyn Fn(&[u8], &[u8]) -> bool + Send + Sync;

/// A server's: `user_data` to document.
pub struct Attester(pub Box<Make>);

/// A client's: whether it accepts this document for this `user_data`.
pub struct Verifier(pub Box<Accept>);

impl fmt::Debug for Attester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attester")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
