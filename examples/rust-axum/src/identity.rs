//! Server identity: ML-DSA-65 over the transcript hash (section 11).
use crate::crypto::{sha256, Secret};
use ml_dsa::signature::Keypair;
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, MlDsa65, Signature, SigningKey, VerifyingKey};
use std::fmt;

pub fn signed_bytes(th: &[u8; 32]) -> Vec<u8> {
    [b"pq-websocket/1 server identity\0", &th[..]].concat()
}

/// The secret key of a server.
pub struct Identity(Box<SigningKey<MlDsa65>>);

impl Identity {
    /// FIPS 204 algorithm 6.
    pub fn from_seed(seed: Secret) -> Self {
        Self(Box::new(SigningKey::from_seed(seed.bytes().into())))
    }

    pub fn public_key(&self) -> Vec<u8> {
        self.0.verifying_key().encode().to_vec()
    }

    /// FIPS 204 algorithm 2, deterministic variant, empty context.
    pub fn sign(&self, th: &[u8; 32]) -> Option<Vec<u8>> {
        Some(self.0.expanded_key().sign_deterministic(&signed_bytes(th), &[]).ok()?.encode().to_vec())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// A public key that a client trusts, or the SHA-256 of one.
pub enum Pin {
    Key(Box<VerifyingKey<MlDsa65>>),
    Fingerprint([u8; 32]),
}

impl Pin {
    /// `None` unless it has a key's 1,952 bytes, or a fingerprint's 32.
    pub fn new(pin: &[u8]) -> Option<Self> {
        match pin.try_into() {
            Ok(fingerprint) => Some(Self::Fingerprint(fingerprint)),
            Err(_) => decode(pin).map(Self::Key),
        }
    }

    /// `sent` is the key that came with the signature. It counts for nothing unless this pin is its fingerprint.
    pub fn verifies(&self, th: &[u8; 32], signature: &[u8], sent: Option<&[u8]>) -> bool {
        match self {
            Self::Key(key) => verify(key, th, signature),
            Self::Fingerprint(fingerprint) => sent
                .filter(|sent| sha256(&[sent]) == *fingerprint)
                .and_then(decode)
                .is_some_and(|key| verify(&key, th, signature)),
        }
    }
}

fn decode(public_key: &[u8]) -> Option<Box<VerifyingKey<MlDsa65>>> {
    let encoded = EncodedVerifyingKey::<MlDsa65>::try_from(public_key).ok()?;
    Some(Box::new(VerifyingKey::decode(&encoded)))
}

fn verify(key: &VerifyingKey<MlDsa65>, th: &[u8; 32], signature: &[u8]) -> bool {
    EncodedSignature::<MlDsa65>::try_from(signature)
        .ok()
        .and_then(|encoded| Signature::decode(&encoded))
        .is_some_and(|signature| key.verify_with_context(&signed_bytes(th), &[], &signature))
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}
