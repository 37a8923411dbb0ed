//! Sealed pings in both directions (section 24).
use super::wait::Wait;
use super::{Connection, HeartbeatPolicy, Session};
use crate::failure::{Ending, Failure, Misuse};
use crate::protocol::{Event, Outgoing};
use crate::record::Kind;
use std::time::{Duration, Instant};

const LONGEST_PING: usize = 125;
/// A timer that fires later than that was asleep with its process or machine: what arrived meanwhile has not been read.
const LATE: Duration = Duration::from_secs(1);

/// What there is of pings in a connection that has them.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// When a record was opened last.
    heard: Instant,
    /// For a sign of life, after a ping of this end's timer.
    wait: Wait,
    /// The application's pings that are unanswered.
    asked: Vec<Vec<u8>>,
    /// The content of the pong that waits.
    owed: Option<Vec<u8>>,
}

impl Heartbeat {
    pub fn start(now: Instant) -> Self {
        Self { heard: now, wait: Wait::default(), asked: Vec::new(), owed: None }
    }

    /// A sign of life.
    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.wait.end();
    }

    pub fn deadline(&self, policy: HeartbeatPolicy) -> Option<Instant> {
        match policy {
            HeartbeatPolicy::Beat { .. } if self.wait.is_on() => self.wait.deadline(),
            HeartbeatPolicy::Beat { interval, .. } => Some(self.heard + interval),
            _ => None,
        }
    }

    pub fn drained(&mut self, now: Instant, policy: HeartbeatPolicy) {
        if let HeartbeatPolicy::Beat { timeout, .. } = policy {
            self.wait.drained(now, timeout);
        }
    }

    pub fn excuse(&mut self, now: Instant, policy: HeartbeatPolicy) {
        if let HeartbeatPolicy::Beat { timeout, .. } = policy {
            self.wait.restart(now, timeout);
        }
    }
}

impl Connection {
    fn heartbeat(&mut self) -> Option<&mut Heartbeat> {
        self.session.as_mut().and_then(|session: &mut Session| session.heartbeat.as_mut())
    }

    /// A ping of at most 125 bytes. `Event::Ponged` comes with its pong: the peer's program answers, not only its transport.
    pub fn ping(&mut self, data: &[u8], now: Instant) -> Result<(), Misuse> {
        if !self.is_open() {
            return Err(Misuse::NotOpen);
        }
        let heartbeat = self.heartbeat().ok_or(Misuse::NoHeartbeat)?;
        if data.len() > LONGEST_PING {
            return Err(Misuse::LongPing);
        }
        heartbeat.asked.push(data.to_vec());
        self.seal(Kind::Ping, data, now);
        Ok(())
    }

    pub(super) fn on_heartbeat(&mut self, kind: Kind, content: Vec<u8>, now: Instant) -> Result<(), Failure> {
        let is_open = self.is_open();
        let heartbeat = self.heartbeat().ok_or(Failure::Violation)?;
        if content.len() > LONGEST_PING {
            return Err(Failure::Violation);
        }
        if !is_open {
            return Ok(()); // after a close
        }
        if kind == Kind::Ping {
            heartbeat.owed = Some(content); // in place of one that waits
            self.pay(now);
            return Ok(());
        }
        // The last that matches: where several pings wait, their peer answers the last.
        if let Some(n) = heartbeat.asked.iter().rposition(|asked| *asked == content) {
            heartbeat.asked.drain(..=n);
            self.queues.tell(Event::Ponged(content));
        }
        Ok(())
    }

    /// Sends the pong that is owed, once everything before it has been handed over: never more than one waits.
    pub(super) fn pay(&mut self, now: Instant) {
        if !self.queues.outgoing.is_empty() || !self.is_open() {
            return;
        }
        if let Some(content) = self.heartbeat().and_then(|heartbeat| heartbeat.owed.take()) {
            self.seal(Kind::Pong, &content, now);
        }
    }

    /// Pings, or gives the connection up.
    pub(super) fn on_heartbeat_deadline(&mut self, now: Instant) {
        let policy = self.options().heartbeat;
        let mut content = [0; 8]; // not what an application's ping has
        self.random.fill(&mut content);
        let Some(heartbeat) = self.heartbeat() else { return };
        match heartbeat.wait.deadline() {
            Some(deadline) if now > deadline + LATE => heartbeat.excuse(now, policy),
            Some(_) => {
                self.end(Ending { found_here: true, ..Ending::unclean(1006) }, None);
                self.queues.outgoing.clear();
                self.queues.send(Outgoing::Terminate);
            }
            None => {
                heartbeat.wait.begin();
                // Of several that wait the peer answers the last alone: it must not be one that nobody asked.
                let content = heartbeat.asked.last().cloned().unwrap_or_else(|| content.to_vec());
                self.seal(Kind::Ping, &content, now);
            }
        }
    }
}
