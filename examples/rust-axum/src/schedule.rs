//! Transcript hash, key schedule and exporter (sections 5 and 6).
use crate::crypto::{hkdf, hkdf_of, sha256, Secret};
use crate::failure::Misuse;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Client,
    Server,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// `th`. The hellos are the texts as they travelled, never re-serialized.
pub fn transcript_hash(client_hello: &str, server_hello: &str, context: Option<&[u8]>) -> [u8; 32] {
    let framed = |field: &[u8]| [&(field.len() as u32).to_be_bytes()[..], field].concat();
    sha256(&[
        b"pq-websocket/1 transcript",
        &framed(client_hello.as_bytes()),
        &framed(server_hello.as_bytes()),
        &context.map(framed).unwrap_or_default(),
    ])
}

/// `th'` of an exchange: it binds a generation to the one before and to what has made it.
pub fn exchange_transcript_hash(th: &[u8; 32], offer: &[u8], answer: &[u8]) -> [u8; 32] {
    let length = |part: &[u8]| (part.len() as u32).to_be_bytes();
    sha256(&[b"pq-websocket/1 exchange transcript", th, &length(offer), offer, &length(answer), answer])
}

/// The secret of the next generation, from the one before and a fresh one.
pub fn exchange_seed(th: &[u8; 32], root: &Secret, ss: &Secret) -> Secret {
    let secret = Zeroizing::new([&root.bytes()[..], ss.bytes()].concat());
    let mut out = [0; 32];
    hkdf_of(th, &secret, &[b"pq-websocket/1 exchange seed"], &mut out);
    Secret::take(&mut out)
}

/// `H(secret, label)` with `label` given in parts.
pub fn derive(th: &[u8; 32], secret: &Secret, label: &[&str]) -> Secret {
    let mut out = [0; 32];
    let info: Vec<&[u8]> = std::iter::once("pq-websocket/1 ").chain(label.iter().copied()).map(str::as_bytes).collect();
    hkdf(th, secret, &info, &mut out);
    Secret::take(&mut out)
}

/// The chain of one direction's epochs. It holds `next[D,n+1]` alone: keys are handed out once, and what they came from is
/// overwritten.
#[derive(Debug)]
pub struct Epochs {
    th: [u8; 32],
    direction: Direction,
    next: Secret,
}

impl Epochs {
    /// The chain and `key[D,0]`.
    pub fn start(th: [u8; 32], ss: &Secret, direction: Direction) -> (Self, Secret) {
        let next = derive(&th, ss, &[direction.name(), " update"]);
        (Self { th, direction, next }, derive(&th, ss, &[direction.name(), " key"]))
    }

    /// `key[D,n]`; afterwards the chain holds `next[D,n+1]`.
    pub fn advance(&mut self) -> Secret {
        let key = derive(&self.th, &self.next, &[self.direction.name(), " key"]);
        self.next = derive(&self.th, &self.next, &[self.direction.name(), " update"]);
        key
    }
}

#[derive(Debug)]
pub struct Exporter {
    th: [u8; 32],
    secret: Secret,
}

impl Exporter {
    pub fn start(th: [u8; 32], ss: &Secret) -> Self {
        Self { th, secret: derive(&th, ss, &["exporter"]) }
    }

    /// Section 6.1. A `str` is well-formed Unicode, so no label needs to be refused.
    pub fn export(&self, label: &str, length: usize) -> Result<Vec<u8>, Misuse> {
        if !(1..=8160).contains(&length) {
            return Err(Misuse::ExportLength);
        }
        let mut out = vec![0; length];
        let length = (length as u16).to_be_bytes();
        hkdf(&self.th, &self.secret, &[b"pq-websocket/1 export ", &length, label.as_bytes()], &mut out);
        Ok(out)
    }
}
