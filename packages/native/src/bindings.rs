//! What JavaScript sees. `index.d.ts` documents it; lengths are checked here once more, whatever a caller checked.

use std::cell::RefCell;

use aws_lc_rs::digest;
use aws_lc_rs::rand;
use napi::bindgen_prelude::External;
use napi::{Error, Result, Status};
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::aead::{Key, Nonce, OVERHEAD_BYTES};
use crate::bytes::Bytes;
use crate::kem::{self, Kem, KeyPair};
use crate::{Failed, hkdf, mask};

/// What a handle holds. Dropping any of it overwrites it.
enum Held {
    Secret(Zeroizing<Vec<u8>>),
    Key(Key),
    KeyPair(Box<KeyPair>),
    Destroyed,
}

/// A handle is used by the one thread that its environment runs on. The cell makes sure that nothing is destroyed in use.
pub struct Cell(RefCell<Held>);

type Handle = External<Cell>;

fn handle(held: Held) -> Handle {
    External::new(Cell(RefCell::new(held)))
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::new(Status::InvalidArg, reason.into())
}

impl From<Failed> for Error {
    fn from(_: Failed) -> Self {
        Self::new(Status::GenericFailure, "AWS-LC refused")
    }
}

fn exactly(bytes: Bytes, length: usize, what: &str) -> Result<()> {
    if bytes.len() == length {
        return Ok(());
    }
    let got = bytes.len();
    Err(invalid(format!(
        "{what}: expected {length} bytes, got {got}"
    )))
}

fn with<T>(handle: &Handle, act: impl FnOnce(&Held) -> Result<T>) -> Result<T> {
    match handle.0.try_borrow() {
        Ok(held) => act(&held),
        Err(_) => Err(invalid("a handle is in use")),
    }
}

fn with_secret<T>(handle: &Handle, act: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    with(handle, |held| match held {
        Held::Secret(bytes) => act(bytes),
        _ => Err(invalid(
            "expected the handle of a secret that is not destroyed",
        )),
    })
}

fn with_key<T>(handle: &Handle, act: impl FnOnce(&Key) -> Result<T>) -> Result<T> {
    with(handle, |held| match held {
        Held::Key(key) => act(key),
        _ => Err(invalid(
            "expected the handle of a key that is not destroyed",
        )),
    })
}

fn read(bytes: Bytes<'_>) -> &[u8] {
    // SAFETY: arguments are only read through such slices in functions that write to memory of their own, or to
    // arguments when the slices are gone.
    unsafe { bytes.as_slice() }
}

fn write(target: Bytes, bytes: &[u8], what: &str) -> Result<()> {
    exactly(target, bytes.len(), what)?;
    // SAFETY: `bytes` are never those of an argument, and nothing else reads the target until the slice is gone.
    unsafe { target.as_mut_slice() }.copy_from_slice(bytes);
    Ok(())
}

fn kem_named(name: &str) -> Result<Kem> {
    Kem::by_name(name).ok_or_else(|| invalid("unknown KEM"))
}

/// Destroys what a handle holds; once more does nothing.
#[napi]
pub fn destroy(handle: &Handle) -> Result<()> {
    match handle.0.try_borrow_mut() {
        Ok(mut held) => {
            *held = Held::Destroyed;
            Ok(())
        }
        Err(_) => Err(invalid("a handle is in use")),
    }
}

/// Makes a key pair and writes its encapsulation key.
#[napi]
pub fn generate_key_pair(
    kem: String,
    encapsulation_key: Bytes,
    seed: Option<Bytes>,
) -> Result<Handle> {
    let pair = KeyPair::generate(kem_named(&kem)?, seed.map(read))?;
    write(
        encapsulation_key,
        pair.encapsulation_key(),
        "encapsulation key",
    )?;
    Ok(handle(Held::KeyPair(Box::new(pair))))
}

/// Gives the shared secret of a ciphertext.
#[napi]
pub fn decapsulate(key_pair: &Handle, ciphertext: Bytes) -> Result<Handle> {
    with(key_pair, |held| match held {
        Held::KeyPair(pair) => {
            exactly(ciphertext, pair.kem().ciphertext_bytes(), "ciphertext")?;
            let secret = pair.decapsulate(read(ciphertext))?;
            Ok(handle(Held::Secret(Zeroizing::new(secret.to_vec()))))
        }
        _ => Err(invalid(
            "expected the handle of a key pair that is not destroyed",
        )),
    })
}

/// Gives a shared secret for an encapsulation key, and writes its ciphertext.
#[napi]
pub fn encapsulate(
    kem: String,
    encapsulation_key: Bytes,
    ciphertext: Bytes,
    randomness: Option<Bytes>,
) -> Result<Handle> {
    let kem = kem_named(&kem)?;
    exactly(
        encapsulation_key,
        kem.encapsulation_key_bytes(),
        "encapsulation key",
    )?;
    exactly(ciphertext, kem.ciphertext_bytes(), "ciphertext")?;
    let (sent, secret) = kem::encapsulate(kem, read(encapsulation_key), randomness.map(read))?;
    write(ciphertext, &sent, "ciphertext")?;
    Ok(handle(Held::Secret(Zeroizing::new(secret.to_vec()))))
}

/// Copies bytes to a secret.
#[napi]
pub fn import_secret(bytes: Bytes) -> Handle {
    handle(Held::Secret(Zeroizing::new(read(bytes).to_vec())))
}

/// A secret of the bytes of both, one behind the other.
#[napi]
pub fn join_secrets(first: &Handle, second: &Handle) -> Result<Handle> {
    with_secret(first, |first| {
        with_secret(second, |second| {
            // Made once, with all the room: what a vector moves when it grows stays behind in memory.
            let joined = Zeroizing::new([first, second].concat());
            Ok(handle(Held::Secret(joined)))
        })
    })
}

/// Writes SHA-256 of the data.
#[napi]
pub fn sha256(data: Bytes, hash: Bytes) -> Result<()> {
    let digest = digest::digest(&digest::SHA256, read(data));
    write(hash, digest.as_ref(), "hash")
}

/// Writes as many bytes as `out` has, of 1 to 8160.
#[napi]
pub fn derive_bytes(secret: &Handle, salt: Bytes, info: Bytes, out: Bytes) -> Result<()> {
    with_secret(secret, |bytes| {
        let mut derived = Zeroizing::new(vec![0; out.len()]);
        hkdf::derive(bytes, read(salt), read(info), &mut derived)?;
        write(out, &derived, "output")
    })
}

/// A secret of 32 derived bytes.
#[napi]
pub fn derive_secret(secret: &Handle, salt: Bytes, info: Bytes) -> Result<Handle> {
    with_secret(secret, |bytes| {
        let mut derived = Zeroizing::new(vec![0; 32]);
        hkdf::derive(bytes, read(salt), read(info), &mut derived)?;
        Ok(handle(Held::Secret(derived)))
    })
}

/// An AES-256-GCM key of 32 derived bytes.
#[napi]
pub fn derive_key(secret: &Handle, salt: Bytes, info: Bytes) -> Result<Handle> {
    with_secret(secret, |bytes| {
        let mut derived = Zeroizing::new([0; 32]);
        hkdf::derive(bytes, read(salt), read(info), derived.as_mut_slice())?;
        Ok(handle(Held::Key(Key::new(&derived)?)))
    })
}

/// An AES-256-GCM key that is the secret itself, which has 32 bytes.
#[napi]
pub fn import_key(secret: &Handle) -> Result<Handle> {
    with_secret(secret, |bytes| {
        let key = bytes
            .try_into()
            .map_err(|_| invalid("an AES-256-GCM key has 32 bytes"))?;
        Ok(handle(Held::Key(Key::new(key)?)))
    })
}

/// Seals a frame in place, under the nonce in front of it or a fresh one.
#[napi]
pub fn seal(
    key: &Handle,
    frame: Bytes,
    additional_data: Bytes,
    fresh_nonce: bool,
    content: Option<Bytes>,
) -> Result<()> {
    let nonce = if fresh_nonce {
        Nonce::Fresh
    } else {
        Nonce::Given
    };
    let text = frame.len().checked_sub(OVERHEAD_BYTES);
    if text.is_none_or(|length| content.is_some_and(|content| content.len() > length)) {
        return Err(invalid("a frame is too short for what it shall hold"));
    }
    with_key(key, |key| {
        Ok(key.seal(frame, additional_data, content, nonce)?)
    })
}

/// Opens a frame, to another place or in place; says whether the tag was right.
#[napi]
pub fn open(
    key: &Handle,
    frame: Bytes,
    additional_data: Bytes,
    target: Option<Bytes>,
) -> Result<bool> {
    let Some(length) = frame.len().checked_sub(OVERHEAD_BYTES) else {
        return Ok(false);
    };
    let target = match target {
        Some(target) => target.part(0, length),
        None => frame.part(crate::aead::NONCE_BYTES, length),
    };
    let target =
        target.ok_or_else(|| invalid("the target is too short for what is in the frame"))?;
    with_key(key, |key| Ok(key.open(frame, additional_data, target)?))
}

/// Fills with random bytes.
#[napi]
pub fn random(target: Bytes) -> Result<()> {
    // SAFETY: this is the only reference to the memory, and nothing else runs until it is gone.
    let target = unsafe { target.as_mut_slice() };
    rand::fill(target).map_err(|error| Error::from(Failed::from(error)))
}

fn masking_key(key: Bytes) -> Result<[u8; 4]> {
    key.to_array()
        .ok_or_else(|| invalid("a masking key has 4 bytes"))
}

/// As `bufferutil`: masks `length` bytes of `source` to `output`, from `offset` on.
#[napi(js_name = "mask")]
pub fn mask_to(source: Bytes, key: Bytes, output: Bytes, offset: u32, length: u32) -> Result<()> {
    let key = masking_key(key)?;
    let source = usize::try_from(length)
        .ok()
        .and_then(|length| source.part(0, length));
    let target = usize::try_from(offset)
        .ok()
        .zip(source)
        .and_then(|(offset, source)| output.part(offset, source.len()));
    match (source, target) {
        (Some(source), Some(target)) => {
            mask::copy(source, key, target);
            Ok(())
        }
        _ => Err(invalid("there are not as many bytes")),
    }
}

/// As `bufferutil`: masks in place, which takes a mask off too.
#[napi]
pub fn unmask(buffer: Bytes, key: Bytes) -> Result<()> {
    mask::copy(buffer, masking_key(key)?, buffer);
    Ok(())
}

/// Whether this is the FIPS build of AWS-LC.
#[napi]
pub fn is_fips() -> bool {
    aws_lc_rs::try_fips_mode().is_ok()
}

/// The version of this code, which is that of the package it belongs to.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
