//! Exchange: a fresh key agreement inside a running connection (section 22).
use super::handshake::{authenticate, client_proofs, parse_finished, server_proofs, verify_client};
use super::jobs::Then;
use super::wait::Wait;
use super::{Connection, ExchangePolicy, Role, Session};
use crate::crypto::Secret;
use crate::failure::{Failure, Misuse};
use crate::identity::Moment;
use crate::kem::{DecapsulationKey, EncapsulationKey};
use crate::protocol::Event;
use crate::record::Kind;
use crate::schedule::{derive, exchange_seed, exchange_transcript_hash, Direction, Epochs};
use crate::work::Proofs;
use std::sync::Arc;
use std::time::Instant;

/// A direction's first epoch of a generation.
pub(super) type Start = (Epochs, Secret);

#[derive(Debug)]
enum Step {
    None,
    /// A client: its offer is sent.
    Offered(DecapsulationKey),
    /// A client: the answer has come, and the next record is Finished(server). Its own keys wait for *end*.
    Answered(Start),
    /// A server: it signs and attests what it will send. The client's keys wait for *end*.
    Making(Start),
    /// A server: its answer and Finished are sent. The client's keys wait for *end*.
    AwaitingEnd(Start),
    /// A server: *end* has come, and the next record is Finished(client).
    AwaitingFinished,
    /// Either end, the peer's Finished.
    Verifying,
}

/// What there is of exchanges in a connection that has them.
#[derive(Debug)]
pub(super) struct Exchange {
    step: Step,
    /// When the generation began here.
    since: Instant,
    /// A server: *wanted* is sent, and no offer has come since.
    is_wanted: bool,
    /// Asked for during an exchange, which may have begun before what it is to heal.
    again: bool,
    wait: Wait,
    /// Of the newest generation derived, and its secret, until the next exchange.
    th: [u8; 32],
    root: Secret,
}

impl Exchange {
    pub fn start(th: [u8; 32], ss: &Secret, now: Instant) -> Self {
        let root = derive(&th, ss, &["root"]);
        Self { step: Step::None, since: now, is_wanted: false, again: false, wait: Wait::default(), th, root }
    }

    /// The connection is open: the first generation's age counts from here.
    pub fn opened(&mut self, now: Instant) {
        self.since = now;
    }

    /// Whether the peer's next record has to be Finished.
    pub fn finished_is_due(&self) -> bool {
        matches!(self.step, Step::Answered(_) | Step::AwaitingFinished)
    }

    fn is_running(&self) -> bool {
        self.is_wanted || !matches!(self.step, Step::None)
    }

    pub fn deadline(&self, policy: ExchangePolicy) -> Option<Instant> {
        if self.is_running() {
            self.wait.deadline()
        } else {
            Some(self.since + policy.after)
        }
    }

    pub fn drained(&mut self, now: Instant, policy: ExchangePolicy) {
        self.wait.drained(now, policy.timeout);
    }

    pub fn excuse(&mut self, now: Instant, policy: ExchangePolicy) {
        self.wait.restart(now, policy.timeout);
    }

    /// Its work is in vain.
    pub fn give_up(&mut self) {
        self.step = Step::None;
        self.wait.end();
    }

    /// Goes to the next generation; what it comes from is destroyed. The client's start and the server's.
    fn derive(&mut self, offer: &[u8], answer: &[u8], ss: &Secret) -> (Start, Start) {
        let th = exchange_transcript_hash(&self.th, offer, answer);
        let seed = exchange_seed(&th, &self.root, ss);
        self.root = derive(&th, &seed, &["root"]);
        self.th = th;
        (Epochs::start(th, &seed, Direction::Client), Epochs::start(th, &seed, Direction::Server))
    }
}

impl Connection {
    /// How many exchanges are complete at this end.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Asks for an exchange that begins from now on: one under way may have begun before a theft. It is complete with
    /// `Event::Exchanged` of the generation that is returned, or of a later one.
    pub fn exchange(&mut self, now: Instant) -> Result<u64, Misuse> {
        if !self.is_open() {
            return Err(Misuse::NotOpen);
        }
        let exchange = self.session.as_mut().and_then(|session| session.exchange.as_mut()).ok_or(Misuse::NoExchange)?;
        if !matches!(exchange.step, Step::None) {
            exchange.again = true;
            return Ok(self.generation + 2);
        }
        self.begin_exchange(now);
        Ok(self.generation + 1)
    }

    /// A client's offer, or a server's word that it wants one: once, until an offer comes.
    fn begin_exchange(&mut self, now: Instant) {
        let Some(Session { kem, exchange: Some(exchange), .. }) = &mut self.session else { return };
        let (kind, content) = match &self.role {
            Role::Client(_) => {
                let key = DecapsulationKey::generate(*kem, self.random.as_mut());
                let offer = key.encapsulation_key();
                exchange.step = Step::Offered(key);
                (Kind::ExchangeOffer, offer)
            }
            Role::Server(_) if exchange.is_wanted => return,
            Role::Server(_) => {
                exchange.is_wanted = true;
                (Kind::ExchangeWanted, Vec::new())
            }
        };
        exchange.wait.begin();
        self.seal(kind, &content, now);
    }

    /// A generation is old enough, or a step has taken too long.
    pub(super) fn on_exchange_deadline(&mut self, now: Instant) -> Result<(), Failure> {
        let exchange = self.session.as_ref().and_then(|session| session.exchange.as_ref());
        if exchange.is_some_and(Exchange::is_running) {
            return Err(Failure::Timeout);
        }
        self.begin_exchange(now);
        Ok(())
    }

    /// The state is judged first, then the content (section 7.6). Who has sent a close follows the exchange that is under way, so
    /// as to open what still comes, and begins none.
    pub(super) fn on_exchange(&mut self, kind: Kind, content: &[u8], now: Instant) -> Result<(), Failure> {
        let is_open = self.is_open();
        let is_client = matches!(self.role, Role::Client(_));
        let Some(Session { exchange: Some(exchange), receiver, .. }) = &mut self.session else {
            return Err(Failure::Violation);
        };
        match (kind, is_client, &exchange.step) {
            (Kind::ExchangeWanted, true, step) if content.is_empty() => {
                // An offer under way is the answer.
                if is_open && matches!(step, Step::None) {
                    self.begin_exchange(now);
                }
                Ok(())
            }
            (Kind::ExchangeOffer, false, Step::None) => self.on_offer(content, now),
            (Kind::ExchangeAnswer, true, Step::Offered(_)) => self.on_answer(content),
            (Kind::ExchangeEnd, false, Step::AwaitingEnd(_)) if content.is_empty() => {
                if let Step::AwaitingEnd(start) = std::mem::replace(&mut exchange.step, Step::AwaitingFinished) {
                    receiver.enter(start);
                }
                Ok(())
            }
            _ => Err(Failure::Violation),
        }
    }

    /// The server's part: answer under its old epoch, Finished under its new one.
    /// Its records go on in the old epoch while it works.
    fn on_offer(&mut self, offer: &[u8], now: Instant) -> Result<(), Failure> {
        let is_open = self.is_open();
        let policy = self.options().exchange;
        let Some(Session { kem, exchange: Some(exchange), .. }) = &mut self.session else {
            return Err(Failure::Violation);
        };
        let (Role::Server(options), Some(policy)) = (&self.role, policy) else { return Err(Failure::Violation) };
        let key = EncapsulationKey::parse(*kem, offer).ok_or(Failure::Violation)?;
        if !is_open {
            return Ok(()); // after a close
        }
        let (answer, ss) = key.encapsulate(self.random.as_mut()).ok_or(Failure::Violation)?;
        let (client, server) = exchange.derive(offer, &answer, &ss);
        exchange.is_wanted = false;
        exchange.step = Step::Making(client);
        exchange.wait.begin_work(now, policy.timeout);
        let th = exchange.th;
        let options = Arc::clone(options);
        self.begin(options.proves(), Then::Answer { answer, server }, now, move || {
            server_proofs(&options, Moment::Exchange, &th)
        })
    }

    pub(super) fn send_answer(&mut self, answer: &[u8], server: Start, finished: &[u8], now: Instant) {
        if let Some(Session { exchange: Some(exchange), .. }) = &mut self.session {
            if let Step::Making(client) = std::mem::replace(&mut exchange.step, Step::None) {
                exchange.step = Step::AwaitingEnd(client);
            }
            exchange.wait.begin();
        }
        self.enter(Kind::ExchangeAnswer, answer, server, finished, now);
    }

    pub(super) fn send_end(&mut self, start: Start, finished: &[u8], now: Instant) {
        self.enter(Kind::ExchangeEnd, b"", start, finished, now);
        self.complete_exchange(now);
    }

    /// The last record of the old generation and the first of the new one, back to back.
    fn enter(&mut self, last: Kind, content: &[u8], start: Start, finished: &[u8], now: Instant) {
        self.seal(last, content, now);
        if let Some(session) = &mut self.session {
            session.sender.enter(start, now);
        }
        self.seal(Kind::Finished, finished, now);
    }

    /// The client goes to the server's new epoch.
    fn on_answer(&mut self, answer: &[u8]) -> Result<(), Failure> {
        let Some(Session { exchange: Some(exchange), receiver, .. }) = &mut self.session else {
            return Err(Failure::Violation);
        };
        let Step::Offered(key) = &exchange.step else { return Err(Failure::Violation) };
        let ss = key.decapsulate(answer).ok_or(Failure::Violation)?;
        let offer = key.encapsulation_key();
        let (client, server) = exchange.derive(&offer, answer, &ss);
        receiver.enter(server);
        exchange.step = Step::Answered(client);
        Ok(())
    }

    /// The peer's Finished, which is the end of an exchange here. While a client verifies it, it opens and delivers the server's
    /// new epoch, and sends in its own old one; at a server, what follows waits.
    pub(super) fn on_exchange_finished(&mut self, content: &[u8], now: Instant) -> Result<(), Failure> {
        let is_open = self.is_open();
        let policy = self.options().exchange;
        let Some(Session { exchange: Some(exchange), features, .. }) = &mut self.session else {
            return Err(Failure::Violation);
        };
        let step = std::mem::replace(&mut exchange.step, Step::None);
        exchange.wait.end();
        let finished = parse_finished(content).ok_or(Failure::Violation)?;
        if !is_open {
            return Ok(()); // after a close its members are not judged, and nothing is sent
        }
        let Some(policy) = policy else { return Err(Failure::Violation) };
        exchange.step = Step::Verifying;
        exchange.wait.begin_work(now, policy.timeout);
        let (th, features, known) = (exchange.th, *features, self.peer_key.clone());
        match (&self.role, step) {
            (Role::Client(options), Step::Answered(start)) => {
                let options = Arc::clone(options);
                self.begin(options.asks() || features.client_identity, Then::End(start), now, move || {
                    authenticate(&options, Moment::Exchange, &th, &finished, known.as_ref())?;
                    let own = client_proofs(&options, Moment::Exchange, &th, features)?;
                    Ok(Proofs { own: Some(own), ..Proofs::default() })
                })
            }
            (Role::Server(options), Step::AwaitingFinished) => {
                let options = Arc::clone(options);
                self.begin(features.client_identity, Then::Complete, now, move || {
                    verify_client(&options, Moment::Exchange, &th, &finished, known.as_ref())?;
                    Ok(Proofs::default())
                })
            }
            _ => Err(Failure::Violation),
        }
    }

    pub(super) fn complete_exchange(&mut self, now: Instant) {
        self.generation += 1;
        self.queues.tell(Event::Exchanged(self.generation));
        let Some(Session { exchange: Some(exchange), .. }) = &mut self.session else { return };
        exchange.step = Step::None;
        exchange.wait.end();
        exchange.since = now;
        if std::mem::take(&mut exchange.again) {
            self.begin_exchange(now);
        }
    }
}
