//! The primitives, each behind the narrowest interface that the protocol needs.
//!
//! Keys live in one place on the heap and are overwritten when dropped. What the libraries leave on the stack while they
//! compute is theirs to overwrite.
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::Aes256Gcm;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroize;

pub const NONCE: usize = 12;
pub const TAG: usize = 16;

/// 32 secret bytes. Boxed, so that moving it leaves no copy behind.
pub struct Secret(Box<[u8; 32]>);

impl Secret {
    /// Takes the bytes over and overwrites where they were.
    pub fn take(from: &mut [u8]) -> Self {
        let mut secret = Self(Box::new([0; 32]));
        secret.0.copy_from_slice(from);
        from.zeroize();
        secret
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Where randomness comes from: the system, except in the tests against vectors.
pub trait Random: Send {
    fn fill(&mut self, bytes: &mut [u8]);
}

#[derive(Debug)]
pub struct System;

impl Random for System {
    /// A system without randomness can't go on: the panic ends the connection's task and with it the transport, without
    /// a code of section 10, as that section asks.
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system's random generator works");
    }
}

pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HKDF-SHA-256, extract and expand. `out` has at most 8,160 bytes.
pub fn hkdf(salt: &[u8; 32], secret: &Secret, info: &[&[u8]], out: &mut [u8]) {
    hkdf_of(salt, secret.bytes(), info, out);
}

/// The same with a secret of any length.
pub fn hkdf_of(salt: &[u8; 32], secret: &[u8], info: &[&[u8]], out: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand_multi_info(info, out)
        .expect("no caller asks for more than 255 blocks");
}

/// AES-256-GCM under one key, which is kept expanded and is overwritten when dropped.
pub struct Aead(Box<Aes256Gcm>);

impl Aead {
    pub fn new(key: &Secret) -> Self {
        Self(Box::new(Aes256Gcm::new(key.bytes().into())))
    }

    /// `nonce || ciphertext || tag`. The plaintext is encrypted where it stands in the frame, so that no copy stays.
    pub fn seal(&self, plaintext: &[&[u8]], length: usize, aad: &[u8], random: &mut dyn Random) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce);
        let mut frame = Vec::with_capacity(NONCE + length + TAG);
        frame.extend_from_slice(&nonce);
        for part in plaintext {
            frame.extend_from_slice(part);
        }
        // What is missing is zero padding.
        frame.resize(NONCE + length, 0);
        let tag = self
            .0
            .encrypt_inout_detached(&nonce.into(), aad, (&mut frame[NONCE..]).into())
            .expect("no frame reaches the 64 GiB of AES-GCM");
        frame.extend_from_slice(&tag);
        frame
    }

    /// The plaintext of a frame, if it is authentic.
    pub fn open(&self, mut frame: Vec<u8>, aad: &[u8]) -> Option<Vec<u8>> {
        let end = frame.len().checked_sub(TAG).filter(|end| *end >= NONCE)?;
        let nonce: [u8; NONCE] = frame[..NONCE].try_into().ok()?;
        let tag: [u8; TAG] = frame[end..].try_into().ok()?;
        self.0.decrypt_inout_detached(&nonce.into(), aad, (&mut frame[NONCE..end]).into(), &tag.into()).ok()?;
        frame.truncate(end);
        frame.drain(..NONCE);
        Some(frame)
    }
}

impl fmt::Debug for Aead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aead")
    }
}
