//! ML-KEM with given randomness, and SHAKE256: for test vectors, and not in aws-lc-rs.

use std::ptr;

use zeroize::Zeroizing;

use crate::Failed;
use crate::aws_lc::{
    EVP_DigestFinal_ex, EVP_DigestFinalXOF, EVP_DigestInit_ex, EVP_DigestUpdate, EVP_MD,
    EVP_MD_CTX, EVP_MD_CTX_free, EVP_MD_CTX_new, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free,
    EVP_PKEY_CTX_kem_set_params, EVP_PKEY_CTX_new, EVP_PKEY_CTX_new_id, EVP_PKEY_KEM,
    EVP_PKEY_encapsulate_deterministic, EVP_PKEY_free, EVP_PKEY_get_raw_private_key,
    EVP_PKEY_get_raw_public_key, EVP_PKEY_kem_new_raw_public_key, EVP_PKEY_keygen_deterministic,
    EVP_PKEY_keygen_init, EVP_sha3_256, EVP_shake256,
};

/// An object of AWS-LC that is freed when it goes out of scope; AWS-LC overwrites what it frees.
struct Owned<T> {
    object: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Of what a function of AWS-LC gave that makes such an object, or null.
    fn new(object: *mut T, free: unsafe extern "C" fn(*mut T)) -> Result<Self, Failed> {
        if object.is_null() {
            return Err(Failed);
        }
        Ok(Self { object, free })
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: it is not null, `free` is the function that belongs to it, and it is called once.
        unsafe { (self.free)(self.object) }
    }
}

fn succeeded(result: i32) -> Result<(), Failed> {
    if result == 1 { Ok(()) } else { Err(Failed) }
}

/// What a key pair is made of, as bytes.
pub struct RawKeyPair {
    pub encapsulation_key: Vec<u8>,
    pub decapsulation_key: Zeroizing<Vec<u8>>,
}

/// ML-KEM.KeyGen_internal (FIPS 203 algorithm 16) of `d || z`.
pub fn generate(nid: i32, seed: &[u8; 64], sizes: (usize, usize)) -> Result<RawKeyPair, Failed> {
    // SAFETY: there is no engine, which null says.
    let context = unsafe { EVP_PKEY_CTX_new_id(EVP_PKEY_KEM, ptr::null_mut()) };
    let context: Owned<EVP_PKEY_CTX> = Owned::new(context, EVP_PKEY_CTX_free)?;
    // SAFETY: the context lives until the end of this function.
    succeeded(unsafe { EVP_PKEY_keygen_init(context.object) })?;
    // SAFETY: as above.
    succeeded(unsafe { EVP_PKEY_CTX_kem_set_params(context.object, nid) })?;
    let mut key: *mut EVP_PKEY = ptr::null_mut();
    let mut seed_length = seed.len();
    // SAFETY: as above; `key` is null, so that a new one is made; the seed has as many bytes as are said.
    succeeded(unsafe {
        EVP_PKEY_keygen_deterministic(
            context.object,
            &raw mut key,
            seed.as_ptr(),
            &raw mut seed_length,
        )
    })?;
    let key = Owned::new(key, EVP_PKEY_free)?;

    let (public_length, secret_length) = sizes;
    let mut encapsulation_key = vec![0; public_length];
    let mut decapsulation_key = Zeroizing::new(vec![0; secret_length]);
    let mut length = public_length;
    // SAFETY: the buffer has as many bytes as are said.
    succeeded(unsafe {
        EVP_PKEY_get_raw_public_key(key.object, encapsulation_key.as_mut_ptr(), &raw mut length)
    })?;
    let mut written = secret_length;
    // SAFETY: the buffer has as many bytes as are said.
    succeeded(unsafe {
        EVP_PKEY_get_raw_private_key(key.object, decapsulation_key.as_mut_ptr(), &raw mut written)
    })?;
    if length != public_length || written != secret_length {
        return Err(Failed);
    }
    Ok(RawKeyPair {
        encapsulation_key,
        decapsulation_key,
    })
}

/// ML-KEM.Encaps_internal (FIPS 203 algorithm 17) with `m`; gives the ciphertext and the shared secret.
pub fn encapsulate(
    nid: i32,
    encapsulation_key: &[u8],
    m: &[u8; 32],
    ciphertext_length: usize,
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Failed> {
    // SAFETY: the key has as many bytes as are said, and is copied.
    let key = unsafe {
        EVP_PKEY_kem_new_raw_public_key(nid, encapsulation_key.as_ptr(), encapsulation_key.len())
    };
    let key: Owned<EVP_PKEY> = Owned::new(key, EVP_PKEY_free)?;
    // SAFETY: the key lives longer than the context; there is no engine, which null says.
    let context = unsafe { EVP_PKEY_CTX_new(key.object, ptr::null_mut()) };
    let context: Owned<EVP_PKEY_CTX> = Owned::new(context, EVP_PKEY_CTX_free)?;

    let mut ciphertext = vec![0; ciphertext_length];
    let mut shared_secret = Zeroizing::new(vec![0; 32]);
    let mut written = ciphertext_length;
    let mut secret_length = shared_secret.len();
    let mut m_length = m.len();
    // SAFETY: each buffer has as many bytes as are said.
    succeeded(unsafe {
        EVP_PKEY_encapsulate_deterministic(
            context.object,
            ciphertext.as_mut_ptr(),
            &raw mut written,
            shared_secret.as_mut_ptr(),
            &raw mut secret_length,
            m.as_ptr(),
            &raw mut m_length,
        )
    })?;
    if written != ciphertext_length || secret_length != shared_secret.len() {
        return Err(Failed);
    }
    Ok((ciphertext, shared_secret))
}

/// A hash that has been given all parts, one behind the other, and is to be finished.
///
/// # Safety
/// `algorithm` is one of AWS-LC's constants.
unsafe fn hashed(algorithm: *const EVP_MD, parts: &[&[u8]]) -> Result<Owned<EVP_MD_CTX>, Failed> {
    // SAFETY: takes nothing.
    let context = unsafe { EVP_MD_CTX_new() };
    let context = Owned::new(context, EVP_MD_CTX_free)?;
    // SAFETY: the context lives until its owner goes; there is no engine, which null says.
    succeeded(unsafe { EVP_DigestInit_ex(context.object, algorithm, ptr::null_mut()) })?;
    for part in parts {
        // SAFETY: the part has as many bytes as are said.
        succeeded(unsafe { EVP_DigestUpdate(context.object, part.as_ptr().cast(), part.len()) })?;
    }
    Ok(context)
}

/// SHAKE256 (FIPS 202) of `data`, as many bytes as `out` has.
pub fn shake256(data: &[u8], out: &mut [u8]) -> Result<(), Failed> {
    // SAFETY: takes nothing and gives a pointer to a constant.
    let algorithm = unsafe { EVP_shake256() };
    // SAFETY: it is that constant.
    let context = unsafe { hashed(algorithm, &[data]) }?;
    // SAFETY: the buffer has as many bytes as are said.
    succeeded(unsafe { EVP_DigestFinalXOF(context.object, out.as_mut_ptr(), out.len()) })
}

/// SHA3-256 (FIPS 202) of all parts, one behind the other.
pub fn sha3_256(parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
    if out.len() != 32 {
        return Err(Failed);
    }
    // SAFETY: takes nothing and gives a pointer to a constant.
    let algorithm = unsafe { EVP_sha3_256() };
    // SAFETY: it is that constant.
    let context = unsafe { hashed(algorithm, parts) }?;
    // SAFETY: the buffer has the 32 bytes of this hash; null asks for no length.
    succeeded(unsafe { EVP_DigestFinal_ex(context.object, out.as_mut_ptr(), ptr::null_mut()) })
}
