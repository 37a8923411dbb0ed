//! What an attestation document has to say (sections 12 and 15). Making and verifying documents is the caller's.
use crate::crypto::sha256;
use crate::identity::Moment;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use std::fmt;

/// What a document says. A service takes the bytes, or the text where it takes text alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    pub bytes: Vec<u8>,
    pub text: String,
}

impl UserData {
    /// Whether a document with this user data attests what is due, in either form.
    pub fn covers(&self, user_data: &[u8]) -> bool {
        user_data == self.bytes || user_data == self.text.as_bytes()
    }
}

/// v1's, for the handshake or an exchange.
pub fn user_data(moment: Moment, th: &[u8; 32]) -> UserData {
    let label = format!("pq-websocket/1 {}attestation", moment.word());
    let digits: String = th.iter().map(|byte| format!("{byte:02x}")).collect();
    UserData { bytes: [label.as_bytes(), b"\0", &th[..]].concat(), text: format!("{label} {digits}") }
}

/// yellowpages: `user_data` is this text, base64 of JSON.
pub fn yellowpages_user_data(ciphertext: &[u8]) -> UserData {
    let hash = STANDARD.encode(sha256(&[ciphertext]));
    let text = STANDARD.encode(format!(r#"{{"ml_kem_768_ciphertext_hash":"{hash}"}}"#));
    UserData { bytes: text.clone().into_bytes(), text }
}

type Make = dyn Fn(&UserData) -> Option<Vec<u8>> + Send + Sync;
type Accept = dyn Fn(&[u8], &UserData) -> bool + Send + Sync;

/// A server's: `user_data` to document.
pub struct Attester(pub Box<Make>);

/// A client's: whether it accepts this document for what is due.
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
