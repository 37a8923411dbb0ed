//! Who an end is: ML-DSA-65 over the transcript hash, by a server (section 11) or a client (section 23).
use crate::crypto::{sha256, Secret};
use crate::failure::Misuse;
use crate::schedule::Direction;
use ml_dsa::signature::Keypair;
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, MlDsa65, Signature, SigningKey, VerifyingKey};
use std::fmt;

/// When something is proved. It goes into what is signed and attested, so that nothing made for the one counts in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Handshake,
    Exchange,
}

impl Moment {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Handshake => "",
            Self::Exchange => "exchange ",
        }
    }
}

/// What an end signs over its th.
pub fn signed_bytes(moment: Moment, end: Direction, th: &[u8; 32]) -> Vec<u8> {
    let label = format!("pq-websocket/1 {}{} identity\0", moment.word(), end.name());
    [label.as_bytes(), &th[..]].concat()
}

/// The secret key of an end.
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
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.0.expanded_key().sign_deterministic(message, &[]).ok()?.encode().to_vec())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// The key of a peer that has proved to have it.
#[derive(Clone)]
pub struct PeerKey(Box<VerifyingKey<MlDsa65>>);

impl PeerKey {
    /// The raw 1,952 bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.encode().to_vec()
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        verify(&self.0, message, signature)
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerKey")
    }
}

/// A public key that an end trusts, or the SHA-256 of one.
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

    /// The key, if it has signed. `sent` is the one that came with the signature: it counts for nothing unless this pin is its
    /// fingerprint.
    pub fn verifies(&self, message: &[u8], signature: &[u8], sent: Option<&[u8]>) -> Option<PeerKey> {
        let key = match self {
            Self::Key(key) => key.clone(),
            Self::Fingerprint(fingerprint) => decode(sent.filter(|sent| sha256(&[sent]) == *fingerprint)?)?,
        };
        verify(&key, message, signature).then_some(PeerKey(key))
    }

    /// Whether this is that raw key, or its fingerprint.
    fn is(&self, public_key: &[u8]) -> bool {
        match self {
            Self::Key(key) => key.encode()[..] == *public_key,
            Self::Fingerprint(fingerprint) => sha256(&[public_key]) == *fingerprint,
        }
    }
}

type AcceptKey = dyn Fn(&[u8]) -> bool + Send + Sync;

/// The clients that a server takes: those of a list, and those that a function of the raw key accepts.
pub struct ClientKeys {
    list: Vec<Pin>,
    accept: Option<Box<AcceptKey>>,
}

impl ClientKeys {
    /// Refused when it would take nobody.
    pub fn new(list: Vec<Pin>, accept: Option<Box<AcceptKey>>) -> Result<Self, Misuse> {
        if list.is_empty() && accept.is_none() {
            return Err(Misuse::ClientKeys);
        }
        Ok(Self { list, accept })
    }

    /// The client's key, if it has signed and is taken. The function is asked once the signature has been verified.
    pub fn verifies(&self, message: &[u8], signature: &[u8], sent: &[u8]) -> Option<PeerKey> {
        let key = PeerKey(decode(sent)?);
        let is_signed = key.verifies(message, signature);
        let is_taken =
            || self.list.iter().any(|pin| pin.is(sent)) || self.accept.as_ref().is_some_and(|accept| accept(sent));
        (is_signed && is_taken()).then_some(key)
    }
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKeys")
    }
}

fn decode(public_key: &[u8]) -> Option<Box<VerifyingKey<MlDsa65>>> {
    let encoded = EncodedVerifyingKey::<MlDsa65>::try_from(public_key).ok()?;
    Some(Box::new(VerifyingKey::decode(&encoded)))
}

fn verify(key: &VerifyingKey<MlDsa65>, message: &[u8], signature: &[u8]) -> bool {
    EncodedSignature::<MlDsa65>::try_from(signature)
        .ok()
        .and_then(|encoded| Signature::decode(&encoded))
        .is_some_and(|signature| key.verify_with_context(message, &[], &signature))
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}
