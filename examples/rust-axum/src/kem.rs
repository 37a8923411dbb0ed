//! The key encapsulation mechanisms (sections 4.1 and 21), each from its own library, behind one interface.
use crate::crypto::{Random, Secret};
use crate::failure::Misuse;
use ml_kem::array::{Array, ArraySize};
use ml_kem::{Decapsulate, KeyExport, MlKem1024, MlKem768};
use sha3::{Digest, Sha3_256};
use shake::digest::{ExtendableOutput, Update, XofReader};
use shake::Shake256;
use std::fmt;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kem {
    /// FIPS 203; what a client offers unless told otherwise.
    MlKem768,
    /// MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems, also called X-Wing.
    MlKem768X25519,
    /// FIPS 203.
    MlKem1024,
}

impl Kem {
    pub const ALL: [Self; 3] = [Self::MlKem768, Self::MlKem768X25519, Self::MlKem1024];

    /// By its name in options.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kem| kem.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::MlKem768 => "ml-kem-768",
            Self::MlKem768X25519 => "mlkem768-x25519",
            Self::MlKem1024 => "ml-kem-1024",
        }
    }

    /// Its member of ClientHello, and the bytes of a key.
    pub fn key(self) -> (&'static str, usize) {
        match self {
            Self::MlKem768 => ("ml_kem_768_encapsulation_key", M768_KEY),
            Self::MlKem768X25519 => ("mlkem768_x25519_encapsulation_key", M768_KEY + X25519),
            Self::MlKem1024 => ("ml_kem_1024_encapsulation_key", 1568),
        }
    }

    /// Its member of ServerHello, and the bytes of a ciphertext.
    pub fn ciphertext(self) -> (&'static str, usize) {
        match self {
            Self::MlKem768 => ("ml_kem_768_ciphertext", M768_CIPHERTEXT),
            Self::MlKem768X25519 => ("mlkem768_x25519_ciphertext", M768_CIPHERTEXT + X25519),
            Self::MlKem1024 => ("ml_kem_1024_ciphertext", 1568),
        }
    }
}

/// What a client offers or a server takes, the first first. Never empty, and none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kems(Vec<Kem>);

impl Kems {
    pub fn new(kems: impl Into<Vec<Kem>>) -> Result<Self, Misuse> {
        let kems = kems.into();
        let is_twice = |(n, kem)| kems[..n].contains(kem);
        if kems.is_empty() || kems.iter().enumerate().any(is_twice) {
            return Err(Misuse::Kems);
        }
        Ok(Self(kems))
    }

    /// A client's default.
    pub fn offered() -> Self {
        Self(vec![Kem::MlKem768])
    }

    /// A server's default. Its order decides.
    pub fn accepted() -> Self {
        Self(vec![Kem::MlKem768X25519, Kem::MlKem1024, Kem::MlKem768])
    }

    pub fn iter(&self) -> impl Iterator<Item = Kem> + '_ {
        self.0.iter().copied()
    }
}

const X25519: usize = 32;
const M768_KEY: usize = 1184;
const M768_CIPHERTEXT: usize = 1088;
/// It comes last in the hash; early drafts of X-Wing had it first.
const LABEL: &[u8] = br"\.//^\";

/// The decapsulation key of one agreement. Overwritten when dropped.
pub enum DecapsulationKey {
    MlKem768(Box<ml_kem::DecapsulationKey<MlKem768>>),
    MlKem768X25519(Box<ml_kem::DecapsulationKey<MlKem768>>, Box<StaticSecret>),
    MlKem1024(Box<ml_kem::DecapsulationKey<MlKem1024>>),
}

impl DecapsulationKey {
    /// From seeds of `random`: d || z of FIPS 203, or the hybrid's 32 bytes.
    pub fn generate(kem: Kem, random: &mut dyn Random) -> Self {
        match kem {
            Kem::MlKem768 => Self::MlKem768(Box::new(ml_kem::DecapsulationKey::<MlKem768>::from_seed(drawn(random)))),
            Kem::MlKem1024 => {
                Self::MlKem1024(Box::new(ml_kem::DecapsulationKey::<MlKem1024>::from_seed(drawn(random))))
            }
            Kem::MlKem768X25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                random.fill(seed.as_mut());
                let mut expanded = Zeroizing::new([0; 96]);
                Shake256::default().chain(seed.as_ref()).finalize_xof().read(expanded.as_mut());
                let (m, x) = expanded.split_at(64);
                let m = Array::try_from(m).expect("64 bytes of 96");
                let x: [u8; X25519] = x.try_into().expect("32 bytes of 96");
                let m = ml_kem::DecapsulationKey::<MlKem768>::from_seed(m);
                Self::MlKem768X25519(Box::new(m), Box::new(StaticSecret::from(x)))
            }
        }
    }

    pub fn kem(&self) -> Kem {
        match self {
            Self::MlKem768(_) => Kem::MlKem768,
            Self::MlKem768X25519(..) => Kem::MlKem768X25519,
            Self::MlKem1024(_) => Kem::MlKem1024,
        }
    }

    pub fn encapsulation_key(&self) -> Vec<u8> {
        match self {
            Self::MlKem768(key) => key.encapsulation_key().to_bytes().to_vec(),
            Self::MlKem768X25519(m, x) => {
                [&m.encapsulation_key().to_bytes()[..], PublicKey::from(&**x).as_bytes()].concat()
            }
            Self::MlKem1024(key) => key.encapsulation_key().to_bytes().to_vec(),
        }
    }

    /// `None` for a wrong length, or where X25519 gives zeros. A wrong ciphertext of the right length gives an unrelated secret
    /// (implicit rejection).
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Option<Secret> {
        match self {
            Self::MlKem768(key) => {
                let ciphertext = Array::try_from(ciphertext).ok()?;
                Some(Secret::take(key.decapsulate(&ciphertext).as_mut_slice()))
            }
            Self::MlKem1024(key) => {
                let ciphertext = Array::try_from(ciphertext).ok()?;
                Some(Secret::take(key.decapsulate(&ciphertext).as_mut_slice()))
            }
            Self::MlKem768X25519(m, x) => {
                let (ct_m, ct_x) = ciphertext.split_at_checked(M768_CIPHERTEXT)?;
                let ct_x: [u8; X25519] = ct_x.try_into().ok()?;
                let ss_m = Secret::take(m.decapsulate(&Array::try_from(ct_m).ok()?).as_mut_slice());
                let ss_x = agree(x, &PublicKey::from(ct_x))?;
                Some(combine(&ss_m, &ss_x, &ct_x, PublicKey::from(&**x).as_bytes()))
            }
        }
    }
}

impl fmt::Debug for DecapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecapsulationKey")
    }
}

/// A peer's key that has passed its check (FIPS 203 section 7.2).
#[derive(Debug)]
pub enum EncapsulationKey {
    MlKem768(Box<ml_kem::EncapsulationKey<MlKem768>>),
    MlKem768X25519(Box<ml_kem::EncapsulationKey<MlKem768>>, PublicKey),
    MlKem1024(Box<ml_kem::EncapsulationKey<MlKem1024>>),
}

impl EncapsulationKey {
    /// `None` for a wrong length or a coefficient over the modulus.
    pub fn parse(kem: Kem, key: &[u8]) -> Option<Self> {
        match kem {
            Kem::MlKem768 => Some(Self::MlKem768(Box::new(m768(key)?))),
            Kem::MlKem1024 => {
                let key = ml_kem::EncapsulationKey::new(&Array::try_from(key).ok()?).ok()?;
                Some(Self::MlKem1024(Box::new(key)))
            }
            Kem::MlKem768X25519 => {
                let (m, x) = key.split_at_checked(M768_KEY)?;
                let x: [u8; X25519] = x.try_into().ok()?;
                Some(Self::MlKem768X25519(Box::new(m768(m)?), PublicKey::from(x)))
            }
        }
    }

    pub fn kem(&self) -> Kem {
        match self {
            Self::MlKem768(_) => Kem::MlKem768,
            Self::MlKem768X25519(..) => Kem::MlKem768X25519,
            Self::MlKem1024(_) => Kem::MlKem1024,
        }
    }

    /// Ciphertext and secret, with m of FIPS 203 and the hybrid's ephemeral secret from `random`. `None` where X25519 gives
    /// zeros, which no honest peer's key does.
    pub fn encapsulate(&self, random: &mut dyn Random) -> Option<(Vec<u8>, Secret)> {
        match self {
            Self::MlKem768(key) => {
                let (ciphertext, mut shared) = key.encapsulate_deterministic(&Zeroizing::new(drawn(random)));
                Some((ciphertext.to_vec(), Secret::take(shared.as_mut_slice())))
            }
            Self::MlKem1024(key) => {
                let (ciphertext, mut shared) = key.encapsulate_deterministic(&Zeroizing::new(drawn(random)));
                Some((ciphertext.to_vec(), Secret::take(shared.as_mut_slice())))
            }
            Self::MlKem768X25519(m, x) => {
                let mut coins = Zeroizing::new([0; 64]);
                random.fill(coins.as_mut());
                let (for_m, for_x) = coins.split_at(32);
                let for_m = Zeroizing::new(Array::try_from(for_m).expect("32 bytes of 64"));
                let (ct_m, mut ss_m) = m.encapsulate_deterministic(&for_m);
                let ss_m = Secret::take(ss_m.as_mut_slice());
                let mut for_x: [u8; X25519] = for_x.try_into().expect("32 bytes of 64");
                let ephemeral = StaticSecret::from(for_x);
                for_x.zeroize();
                let ct_x = PublicKey::from(&ephemeral);
                let ss_x = agree(&ephemeral, x)?;
                let shared = combine(&ss_m, &ss_x, ct_x.as_bytes(), x.as_bytes());
                Some(([&ct_m[..], ct_x.as_bytes()].concat(), shared))
            }
        }
    }
}

fn drawn<N: ArraySize>(random: &mut dyn Random) -> Array<u8, N> {
    let mut bytes = Array::<u8, N>::default();
    random.fill(&mut bytes);
    bytes
}

fn m768(key: &[u8]) -> Option<ml_kem::EncapsulationKey<MlKem768>> {
    ml_kem::EncapsulationKey::new(&Array::try_from(key).ok()?).ok()
}

fn agree(own: &StaticSecret, peer: &PublicKey) -> Option<Secret> {
    let shared = own.diffie_hellman(peer);
    let mut bytes = shared.to_bytes();
    let secret = Secret::take(&mut bytes);
    shared.was_contributory().then_some(secret)
}

/// The hybrid's secret from those of its parts.
pub fn combine(ss_m: &Secret, ss_x: &Secret, ct_x: &[u8; X25519], pk_x: &[u8; X25519]) -> Secret {
    let mut hash = Sha3_256::new();
    for part in [&ss_m.bytes()[..], ss_x.bytes(), ct_x, pk_x, LABEL] {
        Digest::update(&mut hash, part);
    }
    let mut shared: [u8; 32] = hash.finalize().into();
    Secret::take(&mut shared)
}
