//! The v1 profile: one state machine for both ends (section 3). Here are its states and its
//! time; `handshake` leads to *open*, `records` judges what arrives then, `application` has what an application calls, `exchange` and
//! `heartbeat` what the hellos may agree on.
mod application;
mod exchange;
mod handshake;
mod heartbeat;
mod jobs;
mod options;
mod records;
mod wait;

pub use options::{ClientOptions, Context, ExchangePolicy, HeartbeatPolicy, Options, ServerOptions};

use crate::crypto::Random;
use crate::failure::{Ending, Failure};
use crate::hello::Features;
use crate::identity::PeerKey;
use crate::kem::{DecapsulationKey, Kem};
use crate::protocol::{Close, Incoming, Protocol, Queues};
use crate::record::{longest_frame, Receiver, Sender};
use crate::schedule::Exporter;
use crate::work::{Done, Held};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CLOSE_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug)]
enum State {
    AwaitingClientHello,
    /// Signature and document are being made: for an early answer to this hello, or for a message.
    Replying {
        early: Option<String>,
    },
    AwaitingServerHello {
        /// One of each KEM that is offered.
        keys: Vec<DecapsulationKey>,
        hello: String,
    },
    AwaitingFinished,
    /// *Verifying* and then *signing* at a client, *verifying client* at a server.
    Verifying,
    /// Fast open: answered early, and the same hello is due as a message.
    AwaitingRepeatedHello(String),
    ClosingUnrepeated(String),
    ClosingUnconfirmed,
    Open,
    CloseSent,
    Finishing(Ending),
    /// *Ended* and *failed* alike.
    Over,
}

#[derive(Debug)]
enum Role {
    Client(Arc<ClientOptions>),
    Server(Arc<ServerOptions>),
}

/// Everything that exists from the key schedule to the end; dropping it destroys the keys.
#[derive(Debug)]
struct Session {
    th: [u8; 32],
    sender: Sender,
    receiver: Receiver,
    exporter: Exporter,
    kem: Kem,
    features: Features,
    /// Where the hellos agreed on it.
    exchange: Option<exchange::Exchange>,
    heartbeat: Option<heartbeat::Heartbeat>,
}

pub struct Connection {
    role: Role,
    random: Box<dyn Random>,
    queues: Queues,
    state: State,
    session: Option<Session>,
    /// The phase rule of section 10 turns on it.
    peer_finished: bool,
    /// Who has proved to be the peer, where somebody had to.
    peer_key: Option<PeerKey>,
    generation: u64,
    handshake_deadline: Option<Instant>,
    own_close: Option<Vec<u8>>,
    close_deadline: Option<Instant>,
    works_beside: bool,
    /// What follows the work that is given out.
    job: Option<jobs::Then>,
    held: Held,
}

impl Connection {
    fn options(&self) -> &Options {
        match &self.role {
            Role::Client(options) => &options.common,
            Role::Server(options) => &options.common,
        }
    }

    /// The clocks of what runs in an open connection. A close stops them; it has one of its own.
    fn exchange_deadline(&self) -> Option<Instant> {
        let session = self.session.as_ref().filter(|_| self.is_open())?;
        session.exchange.as_ref()?.deadline(self.options().exchange?)
    }

    fn heartbeat_deadline(&self) -> Option<Instant> {
        // A sign of life may be among what waits.
        let session = self.session.as_ref().filter(|_| self.is_open() && !self.holds())?;
        session.heartbeat.as_ref()?.deadline(self.options().heartbeat)
    }

    fn for_clocks(
        &mut self,
        exchanges: impl FnOnce(&mut exchange::Exchange, ExchangePolicy),
        heartbeats: impl FnOnce(&mut heartbeat::Heartbeat, HeartbeatPolicy),
    ) {
        let (policy, beat) = (self.options().exchange, self.options().heartbeat);
        let Some(session) = &mut self.session else { return };
        if let (Some(exchange), Some(policy)) = (&mut session.exchange, policy) {
            exchanges(exchange, policy);
        }
        if let Some(heartbeat) = &mut session.heartbeat {
            heartbeats(heartbeat, beat);
        }
    }

    fn accept(&mut self, message: Incoming, now: Instant) -> Result<(), Failure> {
        match (&self.state, message) {
            (State::Finishing(_) | State::Over, _) => Ok(()),
            (_, message) if self.holds() => self.hold(message),
            (_, Incoming::TooLong) => Err(Failure::Limit),
            (State::AwaitingClientHello, Incoming::Text(text)) => self.on_client_hello(&text, now),
            (State::AwaitingServerHello { .. }, Incoming::Text(text)) => self.on_server_hello(&text, now),
            (State::AwaitingRepeatedHello(_) | State::ClosingUnrepeated(_), Incoming::Text(text)) => {
                self.on_repeated_hello(&text)
            }
            (State::AwaitingFinished | State::ClosingUnconfirmed, Incoming::Binary(frame)) => {
                self.on_finished(frame, now)
            }
            (State::Open | State::CloseSent, Incoming::Binary(frame)) => self.on_frame(frame, now),
            _ => Err(Failure::Violation),
        }
    }

    fn fail(&mut self, failure: Failure) {
        let failure = if self.peer_finished { failure } else { failure.before_finished() };
        let ending = Ending { found_here: true, ..Ending::unclean(failure.code()) };
        self.end(ending, Some((Some(failure.code()), failure.reason().into())));
    }

    fn end(&mut self, ending: Ending, transport: Option<Close>) {
        self.state = State::Over;
        self.session = None;
        self.job = None;
        self.handshake_deadline = None;
        self.close_deadline = None;
        self.queues.end(ending, transport);
    }
}

/// How the transport ends behind a sealed close.
fn done() -> Close {
    (Some(1000), "".into())
}

impl Protocol for Connection {
    fn queues(&mut self) -> &mut Queues {
        &mut self.queues
    }

    fn receive(&mut self, message: Incoming, now: Instant) {
        if let Err(failure) = self.accept(message, now) {
            self.fail(failure);
        }
    }

    fn transport_closed(&mut self, close: Option<(u16, String)>) {
        if matches!(self.state, State::Over) {
            return;
        }
        // The codes that are passed on as a hint (section 9).
        let code = match close {
            Some((code @ (1001 | 1012..=1014 | 3768..=3773), _)) => code,
            _ => 1006,
        };
        self.end(Ending::unclean(code), None);
    }

    fn deadline(&self) -> Option<Instant> {
        let running = [self.exchange_deadline(), self.heartbeat_deadline()];
        running.into_iter().chain([self.handshake_deadline, self.close_deadline]).flatten().min()
    }

    fn on_deadline(&mut self, now: Instant) {
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| now >= deadline);
        if is_over(self.handshake_deadline) {
            self.fail(Failure::Timeout);
        } else if is_over(self.close_deadline) {
            self.end(Ending::unclean(1006), Some(done()));
        } else {
            if is_over(self.exchange_deadline()) {
                if let Err(failure) = self.on_exchange_deadline(now) {
                    self.fail(failure);
                }
            }
            if is_over(self.heartbeat_deadline()) {
                self.on_heartbeat_deadline(now);
            }
        }
    }

    fn drained(&mut self, now: Instant) {
        match &self.state {
            State::Finishing(ending) => {
                let ending = ending.clone();
                self.end(ending, Some(done()));
            }
            State::CloseSent | State::ClosingUnconfirmed | State::ClosingUnrepeated(_)
                if self.close_deadline.is_none() =>
            {
                self.close_deadline = Some(now + CLOSE_ANSWER_TIMEOUT);
            }
            _ => {
                self.for_clocks(
                    |exchange, policy| exchange.drained(now, policy),
                    |beat, policy| beat.drained(now, policy),
                );
                self.pay(now);
            }
        }
    }

    fn excuse(&mut self, now: Instant) {
        self.for_clocks(|exchange, policy| exchange.excuse(now, policy), |beat, policy| beat.excuse(now, policy));
    }

    fn work_beside(&mut self) {
        self.works_beside = true;
    }

    fn complete(&mut self, done: Done, now: Instant) {
        self.on_done(done, now);
    }

    fn is_holding(&self) -> bool {
        self.holds()
    }

    fn pending(&self) -> bool {
        !self.peer_finished && !matches!(self.state, State::Over)
    }

    fn evict(&mut self) {
        if self.pending() {
            self.end(
                Ending { found_here: true, ..Ending::unclean(1013) },
                Some((Some(1013), "too many handshakes".into())),
            );
        }
    }

    fn longest_message(&self) -> usize {
        longest_frame(self.options().max_payload)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("role", &self.role).finish_non_exhaustive()
    }
}
