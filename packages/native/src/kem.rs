//! ML-KEM-768 and ML-KEM-1024 (FIPS 203), and MLKEM768-X25519 (draft-irtf-cfrg-concrete-hybrid-kems, X-Wing).

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::kem::{
    AlgorithmId, Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_768, ML_KEM_1024,
};
use zeroize::Zeroizing;

use crate::aws_lc::{NID_MLKEM768, NID_MLKEM1024};
use crate::{Failed, deterministic};

type Algorithm = aws_lc_rs::kem::Algorithm<AlgorithmId>;

pub const SHARED_SECRET_BYTES: usize = 32;
const X25519_BYTES: usize = 32;
/// The label of MLKEM768-X25519: `\./` over `/^\`.
const HYBRID_LABEL: &[u8] = br"\.//^\";

/// In memory of its own: what is moved by value leaves copies on the stack, which nobody overwrites.
pub type SharedSecret = Zeroizing<Vec<u8>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kem {
    MlKem768,
    MlKem1024,
    /// Key, ciphertext and seed are those of ML-KEM-768 with 32 bytes of X25519 behind.
    Hybrid,
}

impl Kem {
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "ml-kem-768" => Some(Self::MlKem768),
            "ml-kem-1024" => Some(Self::MlKem1024),
            "mlkem768-x25519" => Some(Self::Hybrid),
            _ => None,
        }
    }

    pub const fn encapsulation_key_bytes(self) -> usize {
        match self {
            Self::MlKem768 => 1184,
            Self::Hybrid => 1184 + X25519_BYTES,
            Self::MlKem1024 => 1568,
        }
    }

    pub const fn ciphertext_bytes(self) -> usize {
        match self {
            Self::MlKem768 => 1088,
            Self::Hybrid => 1088 + X25519_BYTES,
            Self::MlKem1024 => 1568,
        }
    }

    const fn lattice(self) -> Lattice {
        match self {
            Self::MlKem768 | Self::Hybrid => Lattice {
                algorithm: &ML_KEM_768,
                nid: NID_MLKEM768,
                encapsulation_key: 1184,
                decapsulation_key: 2400,
                ciphertext: 1088,
            },
            Self::MlKem1024 => Lattice {
                algorithm: &ML_KEM_1024,
                nid: NID_MLKEM1024,
                encapsulation_key: 1568,
                decapsulation_key: 3168,
                ciphertext: 1568,
            },
        }
    }
}

/// An ML-KEM and its sizes in bytes (FIPS 203 table 3).
struct Lattice {
    algorithm: &'static Algorithm,
    nid: i32,
    encapsulation_key: usize,
    decapsulation_key: usize,
    ciphertext: usize,
}

pub struct KeyPair {
    kem: Kem,
    encapsulation_key: Vec<u8>,
    lattice: DecapsulationKey,
    curve: Option<PrivateKey>,
}

impl KeyPair {
    /// @param seed `d || z`, for the hybrid the 32 bytes that both parts are expanded from; drawn where there is none
    pub fn generate(kem: Kem, seed: Option<&[u8]>) -> Result<Self, Failed> {
        match (kem, seed) {
            (Kem::Hybrid, Some(seed)) => {
                let seed: &[u8; 32] = seed.try_into().map_err(|_| Failed)?;
                let mut expanded = Zeroizing::new([0; 96]);
                deterministic::shake256(seed, expanded.as_mut_slice())?;
                let (lattice, curve) = expanded.split_first_chunk::<64>().ok_or(Failed)?;
                let curve = PrivateKey::from_private_key(&X25519, curve)?;
                Self::of_seed(kem, lattice)?.with_curve(curve)
            }
            (_, Some(seed)) => Self::of_seed(kem, seed.try_into().map_err(|_| Failed)?),
            (Kem::Hybrid, None) => Self::drawn(kem)?.with_curve(PrivateKey::generate(&X25519)?),
            (_, None) => Self::drawn(kem),
        }
    }

    fn of_seed(kem: Kem, seed: &[u8; 64]) -> Result<Self, Failed> {
        let sizes = kem.lattice();
        let raw = deterministic::generate(
            sizes.nid,
            seed,
            (sizes.encapsulation_key, sizes.decapsulation_key),
        )?;
        Ok(Self {
            kem,
            encapsulation_key: raw.encapsulation_key,
            lattice: DecapsulationKey::new(sizes.algorithm, &raw.decapsulation_key)?,
            curve: None,
        })
    }

    fn drawn(kem: Kem) -> Result<Self, Failed> {
        let lattice = DecapsulationKey::generate(kem.lattice().algorithm)?;
        let encapsulation_key = lattice.encapsulation_key()?.key_bytes()?.as_ref().to_vec();
        Ok(Self {
            kem,
            encapsulation_key,
            lattice,
            curve: None,
        })
    }

    fn with_curve(mut self, curve: PrivateKey) -> Result<Self, Failed> {
        self.encapsulation_key
            .extend_from_slice(curve.compute_public_key()?.as_ref());
        self.curve = Some(curve);
        Ok(self)
    }

    pub const fn kem(&self) -> Kem {
        self.kem
    }

    pub fn encapsulation_key(&self) -> &[u8] {
        &self.encapsulation_key
    }

    /// Fails for another length; for the hybrid also where X25519 gives 32 zero bytes. Any other ciphertext gives a secret.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<SharedSecret, Failed> {
        if ciphertext.len() != self.kem.ciphertext_bytes() {
            return Err(Failed);
        }
        let sizes = self.kem.lattice();
        let (lattice, theirs) = ciphertext
            .split_at_checked(sizes.ciphertext)
            .ok_or(Failed)?;
        let secret = self.lattice.decapsulate(Ciphertext::from(lattice))?;
        match &self.curve {
            None => shared_secret(secret.as_ref()),
            Some(curve) => {
                let (_, ours) = self
                    .encapsulation_key
                    .split_at_checked(sizes.encapsulation_key)
                    .ok_or(Failed)?;
                agree(
                    curve,
                    UnparsedPublicKey::new(&X25519, theirs),
                    Failed,
                    |dh| combine(secret.as_ref(), dh, theirs, ours),
                )
            }
        }
    }
}

/// Fails for a key of another length, or with a coefficient that is not below q (FIPS 203 section 7.2), and for the hybrid
/// where X25519 gives 32 zero bytes.
/// @param randomness `m`, for the hybrid `m` and an X25519 private key; drawn where there is none
/// @returns the ciphertext and the secret
pub fn encapsulate(
    kem: Kem,
    encapsulation_key: &[u8],
    randomness: Option<&[u8]>,
) -> Result<(Vec<u8>, SharedSecret), Failed> {
    if encapsulation_key.len() != kem.encapsulation_key_bytes() {
        return Err(Failed);
    }
    let sizes = kem.lattice();
    let (lattice, theirs) = encapsulation_key
        .split_at_checked(sizes.encapsulation_key)
        .ok_or(Failed)?;
    let (m, scalar) = match (kem, randomness) {
        (_, None) => (None, None),
        (Kem::Hybrid, Some(both)) => {
            let (m, scalar) = both.split_first_chunk::<32>().ok_or(Failed)?;
            (Some(m), Some(scalar))
        }
        (_, Some(m)) => (Some(m.try_into().map_err(|_| Failed)?), None),
    };

    let (mut ciphertext, secret) = match m {
        Some(m) => deterministic::encapsulate(sizes.nid, lattice, m, sizes.ciphertext)?,
        None => {
            let key = EncapsulationKey::new(sizes.algorithm, lattice)?;
            let (ciphertext, secret) = key.encapsulate()?;
            (
                ciphertext.as_ref().to_vec(),
                shared_secret(secret.as_ref())?,
            )
        }
    };
    if kem != Kem::Hybrid {
        return Ok((ciphertext, secret));
    }
    let ours = match scalar {
        Some(scalar) => PrivateKey::from_private_key(&X25519, scalar)?,
        None => PrivateKey::generate(&X25519)?,
    };
    let point = ours.compute_public_key()?;
    let combined = agree(
        &ours,
        UnparsedPublicKey::new(&X25519, theirs),
        Failed,
        |dh| combine(secret.as_ref(), dh, point.as_ref(), theirs),
    )?;
    ciphertext.extend_from_slice(point.as_ref());
    Ok((ciphertext, combined))
}

fn shared_secret(bytes: &[u8]) -> Result<SharedSecret, Failed> {
    if bytes.len() != SHARED_SECRET_BYTES {
        return Err(Failed);
    }
    Ok(Zeroizing::new(bytes.to_vec()))
}

/// `SHA3-256(ss_M || ss_X || ct_X || pk_X || label)`.
fn combine(
    lattice_secret: &[u8],
    curve_secret: &[u8],
    curve_ciphertext: &[u8],
    curve_key: &[u8],
) -> Result<SharedSecret, Failed> {
    let mut secret = Zeroizing::new(vec![0; SHARED_SECRET_BYTES]);
    deterministic::sha3_256(
        &[
            lattice_secret,
            curve_secret,
            curve_ciphertext,
            curve_key,
            HYBRID_LABEL,
        ],
        &mut secret,
    )?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::{Kem, KeyPair, encapsulate};
    use crate::deterministic::shake256;

    const KEMS: [Kem; 3] = [Kem::MlKem768, Kem::MlKem1024, Kem::Hybrid];

    #[test]
    fn names() {
        let named = ["ml-kem-768", "ml-kem-1024", "mlkem768-x25519"].map(Kem::by_name);
        assert_eq!(named, KEMS.map(Some));
        assert_eq!(Kem::by_name("ml-kem-512"), None);
    }

    fn seed(kem: Kem) -> Vec<u8> {
        vec![5; if kem == Kem::Hybrid { 32 } else { 64 }]
    }

    #[test]
    fn both_ends_have_the_same_secret() {
        for kem in KEMS {
            for seed in [None, Some(seed(kem))] {
                let pair = KeyPair::generate(kem, seed.as_deref()).unwrap();
                assert_eq!(pair.kem(), kem);
                let key = pair.encapsulation_key();
                assert_eq!(key.len(), kem.encapsulation_key_bytes());
                let (ciphertext, sent) = encapsulate(kem, key, None).unwrap();
                assert_eq!(ciphertext.len(), kem.ciphertext_bytes());
                assert_eq!(pair.decapsulate(&ciphertext).unwrap(), sent);
                let (other, another) = encapsulate(kem, key, None).unwrap();
                assert_ne!((other, &another), (ciphertext, &sent));
            }
        }
    }

    #[test]
    fn given_randomness_gives_the_same() {
        for kem in KEMS {
            let keys = [(); 2].map(|()| KeyPair::generate(kem, Some(&seed(kem))).unwrap());
            assert_eq!(keys[0].encapsulation_key(), keys[1].encapsulation_key());
            let m = vec![6; if kem == Kem::Hybrid { 64 } else { 32 }];
            let sent =
                [(); 2].map(|()| encapsulate(kem, keys[0].encapsulation_key(), Some(&m)).unwrap());
            assert_eq!(sent[0], sent[1]);
            assert_eq!(keys[0].decapsulate(&sent[0].0).unwrap(), sent[0].1);
        }
    }

    #[test]
    fn implicit_rejection_is_shake256_of_z_and_the_ciphertext() {
        for (kem, length) in [(Kem::MlKem768, 1088), (Kem::MlKem1024, 1568)] {
            let pair = KeyPair::generate(kem, Some(&[5; 64])).unwrap();
            let ciphertext = vec![1; length];
            let mut expected = [0; 32];
            shake256(&[vec![5; 32], ciphertext.clone()].concat(), &mut expected).unwrap();
            assert_eq!(*pair.decapsulate(&ciphertext).unwrap(), expected);
        }
    }

    #[test]
    fn refuses_lengths_and_coefficients() {
        for kem in KEMS {
            let pair = KeyPair::generate(kem, None).unwrap();
            let key = pair.encapsulation_key();
            let long = [key, &[0]].concat();
            assert!(encapsulate(kem, &key[1..], None).is_err());
            assert!(encapsulate(kem, &long, None).is_err());
            assert!(encapsulate(kem, key, Some(&[0; 31])).is_err());
            // 3329 = 0xd01, the first that is not below q.
            let mut large = key.to_vec();
            large[0] = 0x01;
            large[1] = (large[1] & 0xf0) | 0x0d;
            assert!(encapsulate(kem, &large, None).is_err());
            assert!(
                encapsulate(
                    kem,
                    &large,
                    Some(&[0; 64][..if kem == Kem::Hybrid { 64 } else { 32 }])
                )
                .is_err()
            );
            large[0] = 0x00;
            assert!(encapsulate(kem, &large, None).is_ok());
            for length in [0, kem.ciphertext_bytes() - 1, kem.ciphertext_bytes() + 1] {
                assert!(pair.decapsulate(&vec![0; length]).is_err());
            }
            assert!(KeyPair::generate(kem, Some(&[0; 31])).is_err());
            assert!(KeyPair::generate(kem, Some(&[0; 65])).is_err());
        }
    }
}
