//! What JavaScript sees. `index.d.cts` documents it; lengths are checked here once more, whatever a caller checked.

use std::cell::RefCell;

use aws_lc_rs::digest;
use aws_lc_rs::rand;
use napi::bindgen_prelude::{External, FromNapiValue, TypeName, ValidateNapiValue, sys};
use napi::{Error, Result, Status, ValueType};
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::aead::{Key, Nonce, OVERHEAD_BYTES};
use crate::bytes::Bytes;
use crate::kem::{self, Kem, KeyPair};
use crate::vault::{Held, Vault};
use crate::{Failed, hkdf, mask};

/// A vault is used by the one thread that its environment runs on. The cell makes sure that nothing is destroyed in use.
pub struct Cell(RefCell<Vault>);

type Handle = External<Cell>;

/// What a vault has given: a whole number, where Node-API's own conversion makes 0 of NaN and of 2^32, and 1 of 1.5.
pub struct Number(u32);

impl FromNapiValue for Number {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut given = f64::NAN;
        // SAFETY: napi-rs gave `env` and `value`, and the out-parameter is a local. Anything but a number is refused.
        let status = unsafe { sys::napi_get_value_double(env, value, &raw mut given) };
        // Saturates, and makes 0 of NaN, which is unequal to it.
        let number = given as u32;
        if status != sys::Status::napi_ok || f64::from(number) != given {
            return Err(invalid("expected the number of what is in a vault"));
        }
        Ok(Self(number))
    }
}

impl TypeName for Number {
    fn type_name() -> &'static str {
        "number"
    }

    fn value_type() -> ValueType {
        ValueType::Number
    }
}

impl ValidateNapiValue for Number {
    unsafe fn validate(_env: sys::napi_env, _value: sys::napi_value) -> Result<sys::napi_value> {
        // from_napi_value checks all that there is.
        Ok(std::ptr::null_mut())
    }
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

fn put(vault: &Handle, held: Held) -> Result<u32> {
    match vault.0.try_borrow_mut() {
        Ok(mut vault) => Ok(vault.put(held)?),
        Err(_) => Err(in_use()),
    }
}

fn with<T>(vault: &Handle, number: u32, act: impl FnOnce(Option<&Held>) -> Result<T>) -> Result<T> {
    match vault.0.try_borrow() {
        Ok(vault) => act(vault.get(number)),
        Err(_) => Err(in_use()),
    }
}

fn in_use() -> Error {
    invalid("a vault is in use")
}

fn with_secret<T>(vault: &Handle, number: u32, act: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    with(vault, number, |held| match held {
        Some(Held::Secret(bytes)) => act(bytes),
        _ => Err(invalid(
            "expected the number of a secret that is not destroyed",
        )),
    })
}

fn with_key<T>(vault: &Handle, number: u32, act: impl FnOnce(&Key) -> Result<T>) -> Result<T> {
    with(vault, number, |held| match held {
        Some(Held::Key(key)) => act(key),
        _ => Err(invalid(
            "expected the number of a key that is not destroyed",
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

fn secret_of(bytes: &[u8]) -> Held {
    Held::Secret(Zeroizing::new(bytes.to_vec()))
}

fn kem_named(name: &str) -> Result<Kem> {
    Kem::by_name(name).ok_or_else(|| invalid("unknown KEM"))
}

/// Makes an empty vault.
#[napi]
pub fn create_vault() -> Handle {
    External::new(Cell(RefCell::default()))
}

/// Destroys what has the number; once more does nothing.
#[napi]
pub fn destroy(vault: &Handle, number: Number) -> Result<()> {
    match vault.0.try_borrow_mut() {
        Ok(mut vault) => {
            vault.destroy(number.0);
            Ok(())
        }
        Err(_) => Err(in_use()),
    }
}

/// Makes a key pair and writes its encapsulation key.
#[napi]
pub fn generate_key_pair(
    vault: &Handle,
    kem: String,
    encapsulation_key: Bytes,
    seed: Option<Bytes>,
) -> Result<u32> {
    let pair = KeyPair::generate(kem_named(&kem)?, seed.map(read))?;
    write(
        encapsulation_key,
        pair.encapsulation_key(),
        "encapsulation key",
    )?;
    put(vault, Held::KeyPair(Box::new(pair)))
}

/// Gives the shared secret of a ciphertext.
#[napi]
pub fn decapsulate(vault: &Handle, key_pair: Number, ciphertext: Bytes) -> Result<u32> {
    let secret = with(vault, key_pair.0, |held| match held {
        Some(Held::KeyPair(pair)) => {
            exactly(ciphertext, pair.kem().ciphertext_bytes(), "ciphertext")?;
            Ok(pair.decapsulate(read(ciphertext))?)
        }
        _ => Err(invalid(
            "expected the number of a key pair that is not destroyed",
        )),
    })?;
    put(vault, Held::Secret(secret))
}

/// Gives a shared secret for an encapsulation key, and writes its ciphertext.
#[napi]
pub fn encapsulate(
    vault: &Handle,
    kem: String,
    encapsulation_key: Bytes,
    ciphertext: Bytes,
    randomness: Option<Bytes>,
) -> Result<u32> {
    let kem = kem_named(&kem)?;
    exactly(
        encapsulation_key,
        kem.encapsulation_key_bytes(),
        "encapsulation key",
    )?;
    exactly(ciphertext, kem.ciphertext_bytes(), "ciphertext")?;
    let (sent, secret) = kem::encapsulate(kem, read(encapsulation_key), randomness.map(read))?;
    write(ciphertext, &sent, "ciphertext")?;
    put(vault, Held::Secret(secret))
}

/// Copies bytes to a secret.
#[napi]
pub fn import_secret(vault: &Handle, bytes: Bytes) -> Result<u32> {
    put(vault, secret_of(read(bytes)))
}

/// A secret of the bytes of both, one behind the other, in the vault of the second.
#[napi]
pub fn join_secrets(
    first_vault: &Handle,
    first: Number,
    second_vault: &Handle,
    second: Number,
) -> Result<u32> {
    let joined = with_secret(first_vault, first.0, |first| {
        with_secret(second_vault, second.0, |second| {
            // Made once, with all the room: what a vector moves when it grows stays behind in memory.
            Ok(Zeroizing::new([first, second].concat()))
        })
    })?;
    put(second_vault, Held::Secret(joined))
}

/// Writes SHA-256 of the data.
#[napi]
pub fn sha256(data: Bytes, hash: Bytes) -> Result<()> {
    let digest = digest::digest(&digest::SHA256, read(data));
    write(hash, digest.as_ref(), "hash")
}

/// Writes as many bytes as `out` has, of 1 to 8160.
#[napi]
pub fn derive_bytes(
    vault: &Handle,
    secret: Number,
    salt: Bytes,
    info: Bytes,
    out: Bytes,
) -> Result<()> {
    with_secret(vault, secret.0, |bytes| {
        let mut derived = Zeroizing::new(vec![0; out.len()]);
        hkdf::derive(bytes, read(salt), read(info), &mut derived)?;
        write(out, &derived, "output")
    })
}

/// A secret of 32 derived bytes.
#[napi]
pub fn derive_secret(vault: &Handle, secret: Number, salt: Bytes, info: Bytes) -> Result<u32> {
    let mut derived = Zeroizing::new(vec![0; 32]);
    with_secret(vault, secret.0, |bytes| {
        Ok(hkdf::derive(bytes, read(salt), read(info), &mut derived)?)
    })?;
    put(vault, Held::Secret(derived))
}

/// An AES-256-GCM key of 32 derived bytes.
#[napi]
pub fn derive_key(vault: &Handle, secret: Number, salt: Bytes, info: Bytes) -> Result<u32> {
    let key = with_secret(vault, secret.0, |bytes| {
        let mut derived = Zeroizing::new([0; 32]);
        hkdf::derive(bytes, read(salt), read(info), derived.as_mut_slice())?;
        Ok(Key::new(&derived)?)
    })?;
    put(vault, Held::Key(key))
}

/// An AES-256-GCM key that is the secret itself, which has 32 bytes.
#[napi]
pub fn import_key(vault: &Handle, secret: Number) -> Result<u32> {
    let key = with_secret(vault, secret.0, |bytes| {
        let key = bytes
            .try_into()
            .map_err(|_| invalid("an AES-256-GCM key has 32 bytes"))?;
        Ok(Key::new(key)?)
    })?;
    put(vault, Held::Key(key))
}

/// Seals a frame in place, under the nonce in front of it or a fresh one.
#[napi]
pub fn seal(
    vault: &Handle,
    key: Number,
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
    with_key(vault, key.0, |key| {
        Ok(key.seal(frame, additional_data, content, nonce)?)
    })
}

/// Opens a frame, to another place or in place; says whether the tag was right.
#[napi]
pub fn open(
    vault: &Handle,
    key: Number,
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
    with_key(vault, key.0, |key| {
        Ok(key.open(frame, additional_data, target)?)
    })
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
