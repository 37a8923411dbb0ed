//! The yellowpages profile, both ends (section 15). Weaker than v1: no order, no replay protection across what was dropped,
//! no authenticated close.
use crate::attestation::{yellowpages_user_data, Attester, Verifier};
use crate::crypto::{Aead, Random, NONCE, TAG};
use crate::failure::{Ending, Failure, Misuse};
use crate::hello::{self, LONGEST_SERVER_HELLO};
use crate::kem::{DecapsulationKey, EncapsulationKey, Kem};
use crate::protocol::{Close, Event, Incoming, Message, Outgoing, Protocol, Queues};
use crate::work::{Done, Held, Proofs, Work};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub enum Role {
    /// Asks for a document and judges it, or says that it wants none.
    Client(Option<Verifier>),
    /// Without an attester ServerHello has no document.
    Server(Option<Attester>),
}

#[derive(Debug)]
pub struct Options {
    pub role: Role,
    pub max_payload: usize,
    /// For each step of the handshake.
    pub step_timeout: Duration,
    /// Both directions together.
    pub most_frames: usize,
}

impl Options {
    pub fn new(role: Role) -> Self {
        Self { role, max_payload: 16 << 20, step_timeout: Duration::from_secs(30), most_frames: 65_536 }
    }

    /// The longest transport message that makes sense.
    pub fn longest_message(&self) -> usize {
        (self.max_payload + NONCE + TAG).max(LONGEST_SERVER_HELLO)
    }
}

enum State {
    AwaitingClientHello,
    /// The document is being made.
    Replying {
        ciphertext: Vec<u8>,
        aead: Aead,
    },
    AwaitingServerHello(DecapsulationKey),
    /// The document is being judged.
    Verifying {
        key: DecapsulationKey,
        ciphertext: Vec<u8>,
    },
    Open(Aead),
    Over,
}

pub struct Connection {
    options: Arc<Options>,
    random: Box<dyn Random>,
    queues: Queues,
    state: State,
    deadline: Option<Instant>,
    works_beside: bool,
    held: Held,
    /// Of every frame sent or received: none may come twice.
    nonces: HashSet<[u8; NONCE]>,
}

impl Connection {
    /// An end whose transport has just opened.
    pub fn new(options: Arc<Options>, mut random: Box<dyn Random>, now: Instant) -> Self {
        let mut queues = Queues::default();
        let state = match options.role {
            Role::Server(_) => State::AwaitingClientHello,
            Role::Client(_) => {
                let key = DecapsulationKey::generate(Kem::MlKem768, random.as_mut());
                queues.send(Outgoing::Text(hello::yellowpages_client(&key.encapsulation_key())));
                State::AwaitingServerHello(key)
            }
        };
        let deadline = Some(now + options.step_timeout);
        Self {
            options,
            random,
            queues,
            state,
            deadline,
            works_beside: false,
            held: Held::default(),
            nonces: HashSet::new(),
        }
    }

    /// Text or binary: the peer can't tell which (it delivers bytes).
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Misuse> {
        let State::Open(aead) = &self.state else { return Err(Misuse::NotOpen) };
        if self.nonces.len() >= self.options.most_frames {
            self.fail(Failure::Limit);
            return Ok(());
        }
        // A repeated nonce is drawn again: the frame is sealed anew and the first never leaves.
        let frame = loop {
            let frame = aead.seal(&[bytes], bytes.len(), &[], self.random.as_mut());
            if nonce(&frame).is_some_and(|nonce| self.nonces.insert(nonce)) {
                break frame;
            }
        };
        self.queues.send(Outgoing::Binary(frame));
        Ok(())
    }

    /// Closes the transport, with a code or with none; nothing authenticates that. Before *open* it says nothing, whatever it
    /// is given.
    pub fn close(&mut self, code: Option<u16>, reason: &str) {
        match self.state {
            State::Over => {}
            State::Open(_) => {
                let ending = Ending { clean: true, reason: reason.to_owned(), ..Ending::unclean(code.unwrap_or(1005)) };
                self.end(ending, Some((code, reason.to_owned().into())));
            }
            _ => {
                self.end(Ending::unclean(1006), Some((None, "".into())));
            }
        }
    }

    fn accept(&mut self, message: Incoming, now: Instant) -> Result<(), Failure> {
        match (&self.state, message) {
            (State::Over, _) => Ok(()),
            (State::Verifying { .. }, message) => self.held.push(message, self.options.longest_message()),
            (_, Incoming::TooLong) => Err(Failure::Limit),
            (State::AwaitingClientHello, Incoming::Text(text)) => self.on_client_hello(&text, now),
            (State::AwaitingServerHello(_), Incoming::Text(text)) => self.on_server_hello(&text),
            (State::Open(_), Incoming::Binary(frame)) => self.on_frame(frame),
            _ => Err(Failure::Violation),
        }
    }

    fn on_client_hello(&mut self, text: &str, now: Instant) -> Result<(), Failure> {
        let key = hello::parse_yellowpages_client(text)?;
        let key = EncapsulationKey::parse(Kem::MlKem768, &key).ok_or(Failure::Handshake)?;
        let (ciphertext, ss) = key.encapsulate(self.random.as_mut()).ok_or(Failure::Handshake)?;
        let due = yellowpages_user_data(&ciphertext);
        self.state = State::Replying { ciphertext, aead: Aead::new(&ss) };
        self.deadline = Some(now + self.options.step_timeout); // its second step
        let options = Arc::clone(&self.options);
        let has_attester = matches!(&options.role, Role::Server(Some(_)));
        self.begin(has_attester, move || {
            let Role::Server(Some(attester)) = &options.role else { return Ok(Proofs::default()) };
            let document = attester.0(&due).ok_or(Failure::Authentication)?;
            Ok(Proofs { own: Some(document), ..Proofs::default() })
        })
    }

    fn on_server_hello(&mut self, text: &str) -> Result<(), Failure> {
        let (ciphertext, object) = hello::parse_yellowpages_server(text)?;
        let State::AwaitingServerHello(key) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(Failure::Handshake);
        };
        let due = yellowpages_user_data(&ciphertext);
        self.state = State::Verifying { key, ciphertext };
        let options = Arc::clone(&self.options);
        let has_verifier = matches!(&options.role, Role::Client(Some(_)));
        self.begin(has_verifier, move || {
            let Role::Client(Some(verifier)) = &options.role else { return Ok(Proofs::default()) };
            let document = object.yellowpages_document().ok_or(Failure::Authentication)?;
            verifier.0(&document, &due).then(Proofs::default).ok_or(Failure::Authentication)
        })
    }

    /// Asks the application at once, or gives the work out.
    fn begin(
        &mut self,
        is_asked: bool,
        ask: impl FnOnce() -> Result<Proofs, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        if is_asked && self.works_beside {
            self.queues.work = Some(Work::new(ask));
            return Ok(());
        }
        let proofs = ask()?;
        self.go_on(proofs)
    }

    fn go_on(&mut self, proofs: Proofs) -> Result<(), Failure> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Replying { ciphertext, aead } => {
                let server_hello = hello::yellowpages_server(&ciphertext, proofs.own.as_deref());
                if server_hello.len() > LONGEST_SERVER_HELLO {
                    return Err(Failure::Authentication);
                }
                self.queues.send(Outgoing::Text(server_hello));
                self.open(aead);
            }
            State::Verifying { key, ciphertext } => {
                let aead = Aead::new(&key.decapsulate(&ciphertext).ok_or(Failure::Handshake)?);
                self.open(aead);
            }
            other => self.state = other, // it is over
        }
        Ok(())
    }

    fn open(&mut self, aead: Aead) {
        self.state = State::Open(aead);
        self.deadline = None;
        self.queues.tell(Event::Open);
    }

    fn on_frame(&mut self, frame: Vec<u8>) -> Result<(), Failure> {
        if frame.len() < NONCE + TAG {
            return Err(Failure::Record);
        }
        let is_too_long = frame.len() - NONCE - TAG > self.options.max_payload;
        if is_too_long || self.nonces.len() >= self.options.most_frames {
            return Err(Failure::Limit);
        }
        let State::Open(aead) = &self.state else { return Err(Failure::Record) };
        let nonce = nonce(&frame).filter(|nonce| !self.nonces.contains(nonce)).ok_or(Failure::Record)?;
        let plaintext = aead.open(frame, &[]).ok_or(Failure::Record)?;
        self.nonces.insert(nonce);
        self.queues.tell(Event::Message(Message::Binary(plaintext)));
        Ok(())
    }

    fn fail(&mut self, failure: Failure) {
        let opened = matches!(self.state, State::Open(_));
        let failure = if opened { failure } else { failure.before_finished() };
        // A browser's client can send neither 1008 nor 1011, a server says what the original said.
        let code = match (&self.options.role, failure) {
            (_, Failure::Timeout) => 4000,
            (Role::Server(_), Failure::Authentication) => 1011,
            (Role::Server(_), _) => 1008,
            (Role::Client(_), failure) => failure.code(),
        };
        self.end(Ending { found_here: true, ..Ending::unclean(code) }, Some((Some(code), failure.reason().into())));
    }

    fn end(&mut self, ending: Ending, transport: Option<Close>) {
        self.state = State::Over;
        self.deadline = None;
        self.queues.end(ending, transport);
    }
}

fn nonce(frame: &[u8]) -> Option<[u8; NONCE]> {
    frame.first_chunk().copied()
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
        let (code, reason) = close.unwrap_or((1006, String::new()));
        // What the transport says passes through, but before *open* nothing is clean, and a failure of the peer's never is.
        let clean = matches!(self.state, State::Open(_)) && !matches!(code, 1006 | 3768..=3773);
        self.end(Ending { clean, reason, ..Ending::unclean(code) }, None);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn on_deadline(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.fail(Failure::Timeout);
        }
    }

    fn drained(&mut self, _now: Instant) {}

    fn excuse(&mut self, _now: Instant) {}

    fn work_beside(&mut self) {
        self.works_beside = true;
    }

    fn complete(&mut self, done: Done, now: Instant) {
        if !matches!(self.state, State::Replying { .. } | State::Verifying { .. }) {
            return;
        }
        let is_late = self.deadline.is_some_and(|deadline| now >= deadline);
        let in_time = |proofs| if is_late { Err(Failure::Timeout) } else { Ok(proofs) };
        if let Err(failure) = done.0.and_then(in_time).and_then(|proofs| self.go_on(proofs)) {
            self.fail(failure);
        }
        while let Some(message) = self.held.pop() {
            self.receive(message, now);
        }
    }

    fn is_holding(&self) -> bool {
        matches!(self.state, State::Verifying { .. })
    }

    fn pending(&self) -> bool {
        !matches!(self.state, State::Open(_) | State::Over)
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
        self.options.longest_message()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("yellowpages::Connection").field("options", &self.options).finish_non_exhaustive()
    }
}
