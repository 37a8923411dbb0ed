//! From the hellos to the Finisheds (section 4).
use super::{ClientOptions, Connection, Context, Role, ServerOptions, Session, State};
use crate::attestation;
use crate::crypto::{encapsulate, KemKey, Random, Secret};
use crate::failure::Failure;
use crate::fast_open::is_selection_allowed;
use crate::hello::{self, Object};
use crate::identity::Identity;
use crate::protocol::{Event, Outgoing, Queues};
use crate::record::{longest_frame, Kind, Receiver, Sender};
use crate::schedule::{transcript_hash, Direction, Exporter};
use std::sync::Arc;
use std::time::Instant;

const LONGEST_FINISHED: usize = 65_536;

impl Connection {
    /// A client whose transport has just opened. ClientHello is the first that is outgoing.
    pub fn client(options: Arc<ClientOptions>, mut random: Box<dyn Random>, now: Instant) -> Self {
        let key = KemKey::generate(random.as_mut());
        let hello = hello::client(&key.encapsulation_key());
        let mut queues = Queues::default();
        queues.send(Outgoing::Text(hello.clone()));
        Self::new(Role::Client(options), random, queues, State::AwaitingServerHello { key, hello }, now)
    }

    /// A server that has just upgraded a request.
    pub fn server(options: Arc<ServerOptions>, random: Box<dyn Random>, now: Instant) -> Self {
        Self::new(Role::Server(options), random, Queues::default(), State::AwaitingClientHello, now)
    }

    fn new(role: Role, random: Box<dyn Random>, queues: Queues, state: State, now: Instant) -> Self {
        let mut connection = Self {
            role,
            random,
            queues,
            state,
            session: None,
            peer_finished: false,
            handshake_deadline: None,
            own_close: None,
            close_deadline: None,
        };
        connection.handshake_deadline = Some(now + connection.options().handshake_timeout);
        connection
    }

    /// A server whose upgrade request carried a ClientHello (section 13): answers it before the message comes. A hello that
    /// it has to refuse counts for nothing.
    pub fn answer_early(&mut self, client_hello: String, now: Instant) {
        if !matches!((&self.role, &self.state), (Role::Server(_), State::AwaitingClientHello)) {
            return;
        }
        match self.on_client_hello(client_hello.clone(), now) {
            Ok(()) => self.state = State::AwaitingRepeatedHello(client_hello),
            Err(Failure::Handshake) => {}
            Err(failure) => self.fail(failure),
        }
    }

    /// Rule 4: byte for byte.
    pub(super) fn on_repeated_hello(&mut self, text: &str) -> Result<(), Failure> {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::AwaitingRepeatedHello(hello) if hello == text => State::AwaitingFinished,
            State::ClosingUnrepeated(hello) if hello == text => State::ClosingUnconfirmed,
            other => {
                self.state = other;
                return Err(Failure::Handshake);
            }
        };
        Ok(())
    }

    /// What a client sends as its first message, and before that in the upgrade request if it asks for fast open.
    pub fn client_hello(&self) -> Option<&str> {
        match &self.state {
            State::AwaitingServerHello { hello, .. } => Some(hello),
            _ => None,
        }
    }

    /// A client that was made before its transport: the handshake's time starts now, if the selected subprotocol is one that
    /// it may go on with (rule 6).
    pub fn transport_opened(&mut self, selected: Option<&str>, now: Instant) {
        let Role::Client(options) = &self.role else { return };
        let is_allowed = is_selection_allowed(selected, &options.subprotocols, options.fast_open);
        self.handshake_deadline = Some(now + options.common.handshake_timeout);
        if !is_allowed {
            self.queues.outgoing.clear();
            self.fail(Failure::Handshake);
        }
    }

    pub(super) fn on_client_hello(&mut self, client_hello: String, now: Instant) -> Result<(), Failure> {
        let key = hello::parse_client(&client_hello)?;
        let (ciphertext, ss) = encapsulate(&key, self.random.as_mut())?;
        let server_hello = hello::server(&ciphertext);
        let th = self.derive(&client_hello, &server_hello, ss, Direction::Server, now);
        // Signed and attested before anything is sent, so that a failure of either leaves nothing half done.
        let content = self.server_finished(&th)?;
        self.queues.send(Outgoing::Text(server_hello));
        self.seal(Kind::Finished, content.as_bytes(), now);
        self.state = State::AwaitingFinished;
        Ok(())
    }

    fn server_finished(&self, th: &[u8; 32]) -> Result<String, Failure> {
        let Role::Server(options) = &self.role else { return Err(Failure::Handshake) };
        let ask = |made: Option<Vec<u8>>| made.map(Some).ok_or(Failure::Authentication);
        let signature = options.identity.as_ref().map_or(Ok(None), |identity| ask(identity.sign(th)))?;
        let user_data = attestation::user_data(th);
        let document = options.attester.as_ref().map_or(Ok(None), |attester| ask(attester.0(&user_data)))?;
        let public_key = options.identity.as_ref().filter(|_| options.send_public_key).map(Identity::public_key);
        let content = hello::finished(signature.as_deref(), public_key.as_deref(), document.as_deref());
        if content.len() > LONGEST_FINISHED {
            return Err(Failure::Authentication);
        }
        Ok(content)
    }

    pub(super) fn on_server_hello(&mut self, server_hello: String, now: Instant) -> Result<(), Failure> {
        let ciphertext = hello::parse_server(&server_hello)?;
        // The decapsulation key goes with the old state, whatever happens.
        let State::AwaitingServerHello { key, hello } = std::mem::replace(&mut self.state, State::AwaitingFinished)
        else {
            return Err(Failure::Handshake);
        };
        let ss = key.decapsulate(&ciphertext);
        self.derive(&hello, &server_hello, ss, Direction::Client, now);
        Ok(())
    }

    /// The key schedule's first step; `ss` is destroyed at its end.
    fn derive(&mut self, client_hello: &str, server_hello: &str, ss: Secret, own: Direction, now: Instant) -> [u8; 32] {
        let options = self.options();
        let th = transcript_hash(client_hello, server_hello, options.context.as_ref().map(Context::bytes));
        let peer = if own == Direction::Client { Direction::Server } else { Direction::Client };
        let longest = longest_frame(options.max_payload);
        let session = Session {
            th,
            sender: Sender::new(th, &ss, own, options.update_policy, options.padding, now),
            receiver: Receiver::new(th, &ss, peer, longest, options.epoch_records),
            exporter: Exporter::start(th, &ss),
        };
        self.session = Some(session);
        th
    }

    /// Record 0 of the peer. Until it is accepted, nothing of the peer is.
    pub(super) fn on_finished(&mut self, frame: Vec<u8>, now: Instant) -> Result<(), Failure> {
        let session = self.session.as_mut().ok_or(Failure::Handshake)?;
        let (kind, content) = session.receiver.open(frame)?;
        if kind != Kind::Finished || content.len() > LONGEST_FINISHED {
            return Err(Failure::Handshake);
        }
        let finished = Object::parse(&content).ok_or(Failure::Handshake)?;
        if let Role::Client(options) = &self.role {
            authenticate(options, &session.th, &finished)?;
            self.seal(Kind::Finished, b"{}", now);
        }
        self.peer_finished = true;
        self.handshake_deadline = None;
        if matches!(self.state, State::ClosingUnconfirmed) {
            self.state = State::CloseSent;
        } else {
            self.state = State::Open;
            self.queues.tell(Event::Open);
        }
        Ok(())
    }
}

/// All that the client asked for (sections 11 and 12); what it did not ask for is not even looked at.
fn authenticate(options: &ClientOptions, th: &[u8; 32], finished: &Object) -> Result<(), Failure> {
    if !options.pins.is_empty() {
        let signature = finished.signature().ok_or(Failure::Authentication)?;
        let sent = finished.public_key();
        if !options.pins.iter().any(|pin| pin.verifies(th, &signature, sent.as_deref())) {
            return Err(Failure::Authentication);
        }
    }
    if let Some(verifier) = &options.verifier {
        let document = finished.document().ok_or(Failure::Authentication)?;
        if !verifier.0(&document, &attestation::user_data(th)) {
            return Err(Failure::Authentication);
        }
    }
    Ok(())
}
