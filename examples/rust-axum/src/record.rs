//! Records: sealing and opening, padding, key updates and the limits of an epoch (sections 7 and 8).
use crate::content::LONGEST_BATCH;
use crate::crypto::{Aead, Random, Secret, NONCE, TAG};
use crate::failure::{Failure, Misuse};
use crate::schedule::{Direction, Epochs};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text = 1,
    Binary = 2,
    Batch = 3,
    Close = 4,
    KeyUpdate = 5,
    Finished = 6,
    CloseAnswer = 7,
    /// Known where the hellos agreed on exchanges.
    ExchangeWanted = 8,
    ExchangeOffer = 9,
    ExchangeAnswer = 10,
    ExchangeEnd = 11,
    /// Known where the hellos agreed on sealed pings.
    Ping = 12,
    Pong = 13,
}

impl Kind {
    pub fn from_byte(byte: u8) -> Option<Self> {
        use Kind::*;
        let base = [Text, Binary, Batch, Close, KeyUpdate, Finished, CloseAnswer];
        let negotiated = [ExchangeWanted, ExchangeOffer, ExchangeAnswer, ExchangeEnd, Ping, Pong];
        base.into_iter().chain(negotiated).find(|kind| *kind as u8 == byte)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    Off,
    Block(usize),
    Padme,
}

impl Padding {
    pub fn block(size: usize) -> Result<Self, Misuse> {
        if (1..=65_536).contains(&size) {
            Ok(Self::Block(size))
        } else {
            Err(Misuse::PaddingBlock)
        }
    }

    /// The length of inner for `length` bytes of content and kind.
    pub fn pad(self, length: usize) -> usize {
        match self {
            Self::Off => length,
            Self::Block(size) => length.next_multiple_of(size),
            Self::Padme => {
                let exponent = length.checked_ilog2().unwrap_or(0);
                let kept = exponent.checked_ilog2().unwrap_or(0) + 1;
                if exponent < 2 || exponent <= kept {
                    return length;
                }
                length.next_multiple_of(1 << (exponent - kept))
            }
        }
    }
}

/// When a sender updates its key first. The values of section 8; lower ones are allowed.
#[derive(Clone, Copy, Debug)]
pub struct UpdatePolicy {
    pub records: u64,
    pub bytes: u64,
    pub age: Duration,
}

impl Default for UpdatePolicy {
    fn default() -> Self {
        Self { records: (1 << 20) - 1, bytes: 1 << 36, age: Duration::from_secs(3600) }
    }
}

#[derive(Debug)]
pub struct Sender {
    epochs: Epochs,
    aead: Aead,
    seq: u64,
    first_seq: u64,
    policy: UpdatePolicy,
    pub padding: Padding,
    /// What this epoch has sealed, and when its key was derived.
    records: u64,
    bytes: u64,
    since: Instant,
}

impl Sender {
    pub fn new(
        th: [u8; 32],
        ss: &Secret,
        own: Direction,
        policy: UpdatePolicy,
        padding: Padding,
        now: Instant,
    ) -> Self {
        let (epochs, key) = Epochs::start(th, ss, own);
        Self { epochs, aead: Aead::new(&key), seq: 0, first_seq: 0, policy, padding, records: 0, bytes: 0, since: now }
    }

    /// For tests: `seq` of record 0.
    pub fn starting_at(self, seq: u64) -> Self {
        Self { seq, first_seq: seq, ..self }
    }

    /// The frames that carry this record: itself, and a key update before it where the policy asks for one.
    pub fn seal(&mut self, kind: Kind, content: &[u8], now: Instant, random: &mut dyn Random) -> Vec<Vec<u8>> {
        let mut frames = Vec::with_capacity(2);
        // Closes, and what itself ends an epoch or begins one, need no update before them.
        let needs_none = matches!(
            kind,
            Kind::Close
                | Kind::CloseAnswer
                | Kind::KeyUpdate
                | Kind::Finished
                | Kind::ExchangeAnswer
                | Kind::ExchangeEnd
        );
        if !needs_none && self.is_used_up(self.inner_length(content), now) {
            frames.extend(self.update(now, random));
        }
        frames.push(self.seal_one(kind, content, random));
        frames
    }

    /// A key update, unless nothing was sent in this epoch. The caller has a record to follow it at once.
    pub fn update(&mut self, now: Instant, random: &mut dyn Random) -> Option<Vec<u8>> {
        if self.records == 0 {
            return None;
        }
        let frame = self.seal_one(Kind::KeyUpdate, &[], random);
        self.aead = Aead::new(&self.epochs.advance());
        (self.records, self.bytes, self.since) = (0, 0, now);
        Some(frame)
    }

    /// Goes to the first epoch of the next generation. `seq` goes on.
    pub fn enter(&mut self, (epochs, key): (Epochs, Secret), now: Instant) {
        (self.epochs, self.aead) = (epochs, Aead::new(&key));
        (self.records, self.bytes, self.since) = (0, 0, now);
    }

    fn is_used_up(&self, inner: usize, now: Instant) -> bool {
        self.records >= self.policy.records
            || self.bytes + inner as u64 > self.policy.bytes
            || now.duration_since(self.since) >= self.policy.age
    }

    fn inner_length(&self, content: &[u8]) -> usize {
        // Record 0 alone is never padded.
        let padding = if self.seq == self.first_seq { Padding::Off } else { self.padding };
        padding.pad(content.len() + 1)
    }

    fn seal_one(&mut self, kind: Kind, content: &[u8], random: &mut dyn Random) -> Vec<u8> {
        let length = self.inner_length(content);
        let frame = self.aead.seal(&[content, &[kind as u8]], length, &self.seq.to_be_bytes(), random);
        self.seq += 1;
        self.records += 1;
        self.bytes += length as u64;
        frame
    }
}

/// The most bytes of inner that a receiver takes (section 7.5).
fn longest_inner(max_payload: usize) -> usize {
    let base = max_payload.max(LONGEST_BATCH);
    base + base / 8 + 65_536
}

/// The longest frame of such a receiver.
pub fn longest_frame(max_payload: usize) -> usize {
    NONCE + longest_inner(max_payload) + TAG
}

pub const EPOCH_RECORDS: u64 = 1 << 24;

#[derive(Debug)]
pub struct Receiver {
    epochs: Epochs,
    aead: Aead,
    seq: u64,
    updates: u64,
    records: u64,
    /// `EPOCH_RECORDS`, except in tests.
    most_records: u64,
    longest_frame: usize,
    updated_last: bool,
}

impl Receiver {
    pub fn new(th: [u8; 32], ss: &Secret, peer: Direction, longest_frame: usize, most_records: u64) -> Self {
        let (epochs, key) = Epochs::start(th, ss, peer);
        let aead = Aead::new(&key);
        Self { epochs, aead, seq: 0, updates: 0, records: 0, most_records, longest_frame, updated_last: false }
    }

    /// For tests: `seq` of record 0.
    pub fn starting_at(self, seq: u64) -> Self {
        Self { seq, ..self }
    }

    /// How often the peer has updated its key, in all generations.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Goes to the first epoch of the peer's next generation. `seq` goes on.
    pub fn enter(&mut self, (epochs, key): (Epochs, Secret)) {
        (self.epochs, self.aead, self.records) = (epochs, Aead::new(&key), 0);
    }

    /// Steps 2 to 7 of section 7.6, and all of key updates. What comes back is the content and a kind to judge it by.
    pub fn open(&mut self, frame: Vec<u8>) -> Result<(Kind, Vec<u8>), Failure> {
        if frame.len() < NONCE + 1 + TAG {
            return Err(Failure::Record);
        }
        if frame.len() > self.longest_frame || self.records >= self.most_records {
            return Err(Failure::Limit);
        }
        let mut inner = self.aead.open(frame, &self.seq.to_be_bytes()).ok_or(Failure::Record)?;
        self.seq += 1;
        self.records += 1;
        let last = inner.iter().rposition(|byte| *byte != 0).ok_or(Failure::Violation)?;
        let kind = Kind::from_byte(inner[last]).ok_or(Failure::Violation)?;
        inner.truncate(last);
        if kind == Kind::KeyUpdate {
            if self.updated_last || !inner.is_empty() {
                return Err(Failure::Violation);
            }
            self.aead = Aead::new(&self.epochs.advance());
            self.updates += 1;
            self.records = 0;
        }
        self.updated_last = kind == Kind::KeyUpdate;
        Ok((kind, inner))
    }
}
