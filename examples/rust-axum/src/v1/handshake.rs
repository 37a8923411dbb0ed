//! From the hellos to the Finisheds (section 4).
use super::exchange::Exchange;
use super::heartbeat::Heartbeat;
use super::jobs::Then;
use super::{ClientOptions, Connection, Context, HeartbeatPolicy, Options, Role, ServerOptions, Session, State};
use crate::attestation::{self, Attester};
use crate::crypto::{Random, Secret};
use crate::failure::Failure;
use crate::fast_open::is_selection_allowed;
use crate::hello::{self, ClientOffer, Features, Object};
use crate::identity::{signed_bytes, Identity, Moment, PeerKey};
use crate::kem::{DecapsulationKey, Kem};
use crate::protocol::{Event, Outgoing, Queues};
use crate::record::{longest_frame, Kind, Receiver, Sender};
use crate::schedule::{transcript_hash, Direction, Exporter};
use crate::work::{Held, Proofs};
use std::sync::Arc;
use std::time::Instant;

const LONGEST_FINISHED: usize = 65_536;

impl Connection {
    /// A client whose transport has just opened. ClientHello is the first that is outgoing.
    pub fn client(options: Arc<ClientOptions>, mut random: Box<dyn Random>, now: Instant) -> Self {
        let keys: Vec<_> = options.kems.iter().map(|kem| DecapsulationKey::generate(kem, random.as_mut())).collect();
        let grease = options.common.grease.then(|| hello::grease(random.as_mut()));
        let hello = hello::client(&keys, asked(&options.common, options.identity.is_some()), grease);
        let mut queues = Queues::default();
        queues.send(Outgoing::Text(hello.clone()));
        Self::new(Role::Client(options), random, queues, State::AwaitingServerHello { keys, hello }, now)
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
            peer_key: None,
            generation: 0,
            handshake_deadline: None,
            own_close: None,
            close_deadline: None,
            works_beside: false,
            job: None,
            held: Held::default(),
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
        let Ok(agreement) = self.agree(&client_hello) else { return };
        if let Err(failure) = self.answer(&client_hello, agreement, Some(client_hello.clone()), now) {
            self.fail(failure);
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

    pub(super) fn on_client_hello(&mut self, client_hello: &str, now: Instant) -> Result<(), Failure> {
        let agreement = self.agree(client_hello)?;
        self.answer(client_hello, agreement, None, now)
    }

    /// Judges ClientHello and encapsulates.
    fn agree(&mut self, client_hello: &str) -> Result<Agreement, Failure> {
        let Role::Server(options) = &self.role else { return Err(Failure::Handshake) };
        let ClientOffer { key, features } = hello::parse_client(client_hello, &options.kems)?;
        if options.client_keys.is_some() && !features.client_identity {
            return Err(Failure::Authentication);
        }
        let features = features.and(asked(&options.common, options.client_keys.is_some()));
        let (ciphertext, ss) = key.encapsulate(self.random.as_mut()).ok_or(Failure::Handshake)?;
        Ok(Agreement { kem: key.kem(), features, ciphertext, ss })
    }

    /// Signs and attests before anything is sent, so that a failure of either leaves nothing half done.
    fn answer(
        &mut self,
        client_hello: &str,
        agreement: Agreement,
        early: Option<String>,
        now: Instant,
    ) -> Result<(), Failure> {
        let Agreement { kem, features, ciphertext, ss } = agreement;
        let grease = self.options().grease.then(|| hello::grease(self.random.as_mut()));
        let server_hello = hello::server(kem, ciphertext, features, grease);
        let th = self.derive(client_hello, &server_hello, (kem, features, ss), Direction::Server, now);
        let Role::Server(options) = &self.role else { return Err(Failure::Handshake) };
        let options = Arc::clone(options);
        self.state = State::Replying { early };
        self.begin(options.proves(), Then::Reply { server_hello }, now, move || {
            server_proofs(&options, Moment::Handshake, &th)
        })
    }

    pub(super) fn reply(&mut self, server_hello: String, finished: &[u8], now: Instant) {
        self.queues.send(Outgoing::Text(server_hello));
        self.seal(Kind::Finished, finished, now);
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Replying { early: Some(hello) } => State::AwaitingRepeatedHello(hello),
            _ => State::AwaitingFinished,
        };
    }

    pub(super) fn on_server_hello(&mut self, server_hello: &str, now: Instant) -> Result<(), Failure> {
        let Role::Client(options) = &self.role else { return Err(Failure::Handshake) };
        let asked = asked(&options.common, options.identity.is_some());
        let answer = hello::parse_server(server_hello, &options.kems, asked)?;
        // The decapsulation keys go with the old state, whatever happens, the unused ones among them.
        let State::AwaitingServerHello { keys, hello } = std::mem::replace(&mut self.state, State::AwaitingFinished)
        else {
            return Err(Failure::Handshake);
        };
        let key = keys.iter().find(|key| key.kem() == answer.kem);
        let ss = key.and_then(|key| key.decapsulate(&answer.ciphertext)).ok_or(Failure::Handshake)?;
        self.derive(&hello, server_hello, (answer.kem, answer.features, ss), Direction::Client, now);
        Ok(())
    }

    /// The key schedule's first step; `ss` is destroyed at its end.
    fn derive(
        &mut self,
        client_hello: &str,
        server_hello: &str,
        (kem, features, ss): (Kem, Features, Secret),
        own: Direction,
        now: Instant,
    ) -> [u8; 32] {
        let options = self.options();
        let th = transcript_hash(client_hello, server_hello, options.context.as_ref().map(Context::bytes));
        let peer = if own == Direction::Client { Direction::Server } else { Direction::Client };
        let longest = longest_frame(options.max_payload);
        let session = Session {
            th,
            sender: Sender::new(th, &ss, own, options.update_policy, options.padding, now)
                .starting_at(options.first_seq),
            receiver: Receiver::new(th, &ss, peer, longest, options.epoch_records).starting_at(options.first_seq),
            exporter: Exporter::start(th, &ss),
            kem,
            features,
            exchange: features.exchange.then(|| Exchange::start(th, &ss, now)),
            heartbeat: features.heartbeat.then(|| Heartbeat::start(now)),
        };
        self.session = Some(session);
        th
    }

    /// Record 0 of the peer. Until it is accepted, nothing of the peer is.
    pub(super) fn on_finished(&mut self, frame: Vec<u8>, now: Instant) -> Result<(), Failure> {
        let session = self.session.as_mut().ok_or(Failure::Handshake)?;
        let (kind, content) = session.receiver.open(frame)?;
        if kind != Kind::Finished {
            return Err(Failure::Handshake);
        }
        let finished = parse_finished(&content).ok_or(Failure::Handshake)?;
        let (th, features) = (session.th, session.features);
        match &self.role {
            Role::Client(options) => {
                let options = Arc::clone(options);
                self.state = State::Verifying;
                self.begin(options.asks() || features.client_identity, Then::Accept, now, move || {
                    let peer_key = authenticate(&options, Moment::Handshake, &th, &finished, None)?;
                    // It says who it is to a server that has passed, and to no other.
                    let own = client_proofs(&options, Moment::Handshake, &th, features)?;
                    Ok(Proofs { peer_key, own: Some(own) })
                })
            }
            Role::Server(options) if options.client_keys.is_some() => {
                let options = Arc::clone(options);
                self.state = State::Verifying;
                self.begin(true, Then::Accept, now, move || {
                    let peer_key = verify_client(&options, Moment::Handshake, &th, &finished, None)?;
                    Ok(Proofs { peer_key, own: None })
                })
            }
            Role::Server(_) => {
                self.confirm(now);
                Ok(())
            }
        }
    }

    /// The peer's Finished is accepted, and with that the peer.
    pub(super) fn confirm(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.exchange.iter_mut().for_each(|exchange| exchange.opened(now));
            session.heartbeat.iter_mut().for_each(|heartbeat| heartbeat.hear(now));
        }
        self.peer_finished = true;
        self.handshake_deadline = None;
        if matches!(self.state, State::ClosingUnconfirmed) {
            self.state = State::CloseSent;
        } else {
            self.state = State::Open;
            self.queues.tell(Event::Open);
        }
    }
}

/// In an exchange the public key is left out.
pub(super) fn server_proofs(options: &ServerOptions, moment: Moment, th: &[u8; 32]) -> Result<Proofs, Failure> {
    let signature = sign(options.identity.as_ref(), moment, Direction::Server, th)?;
    let user_data = attestation::user_data(moment, th);
    let attest = |attester: &Attester| attester.0(&user_data).ok_or(Failure::Authentication);
    let document = options.attester.as_ref().map(attest).transpose()?;
    let is_sent = options.send_public_key && moment == Moment::Handshake;
    let public_key = options.identity.as_ref().filter(|_| is_sent).map(Identity::public_key);
    let content = hello::finished(signature.as_deref(), public_key.as_deref(), document.as_deref());
    if content.len() > LONGEST_FINISHED {
        return Err(Failure::Authentication);
    }
    Ok(Proofs { own: Some(content.into_bytes()), ..Proofs::default() })
}

/// A client says who it is where the server asks.
pub(super) fn client_proofs(
    options: &ClientOptions,
    moment: Moment,
    th: &[u8; 32],
    features: Features,
) -> Result<Vec<u8>, Failure> {
    let identity = options.identity.as_ref().filter(|_| features.client_identity);
    let signature = sign(identity, moment, Direction::Client, th)?;
    let public_key = identity.filter(|_| moment == Moment::Handshake).map(Identity::public_key);
    Ok(hello::finished(signature.as_deref(), public_key.as_deref(), None).into_bytes())
}

/// In the handshake a key that the server takes, and its signature; in an exchange a signature by that very key. With
/// another, one registered client could take over the stolen session of another. The key that has signed, where one had to.
pub(super) fn verify_client(
    options: &ServerOptions,
    moment: Moment,
    th: &[u8; 32],
    finished: &Object,
    known: Option<&PeerKey>,
) -> Result<Option<PeerKey>, Failure> {
    let Some(client_keys) = &options.client_keys else { return Ok(None) };
    let signature = finished.signature().ok_or(Failure::Authentication)?;
    let message = signed_bytes(moment, Direction::Client, th);
    let key = match moment {
        Moment::Exchange => known.filter(|key| key.verifies(&message, &signature)).cloned(),
        Moment::Handshake => {
            let sent = finished.public_key().ok_or(Failure::Authentication)?;
            client_keys.verifies(&message, &signature, &sent)
        }
    };
    key.map(Some).ok_or(Failure::Authentication)
}

/// What a server takes from a ClientHello that it does not refuse.
struct Agreement {
    kem: Kem,
    features: Features,
    ciphertext: Vec<u8>,
    ss: Secret,
}

/// What an end has to offer or to answer.
fn asked(options: &Options, client_identity: bool) -> Features {
    Features {
        exchange: options.exchange.is_some(),
        client_identity,
        heartbeat: options.heartbeat != HeartbeatPolicy::Off,
    }
}

fn sign(
    identity: Option<&Identity>,
    moment: Moment,
    end: Direction,
    th: &[u8; 32],
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(identity) = identity else { return Ok(None) };
    identity.sign(&signed_bytes(moment, end, th)).map(Some).ok_or(Failure::Authentication)
}

/// What does not depend on who asked for what.
pub(super) fn parse_finished(content: &[u8]) -> Option<Object> {
    Object::parse(content).filter(|_| content.len() <= LONGEST_FINISHED)
}

/// All that the client asked for (sections 11 and 12); what it did not ask for is not even looked at. In an exchange the
/// signature must be by the very key that signed the handshake. The key that has signed, where one had to.
pub(super) fn authenticate(
    options: &ClientOptions,
    moment: Moment,
    th: &[u8; 32],
    finished: &Object,
    known: Option<&PeerKey>,
) -> Result<Option<PeerKey>, Failure> {
    let mut signer = None;
    if !options.pins.is_empty() {
        let signature = finished.signature().ok_or(Failure::Authentication)?;
        let message = signed_bytes(moment, Direction::Server, th);
        let by_known = |key: &PeerKey| key.verifies(&message, &signature).then(|| key.clone());
        signer = match moment {
            Moment::Exchange => known.and_then(by_known),
            Moment::Handshake => {
                let sent = finished.public_key();
                options.pins.iter().find_map(|pin| pin.verifies(&message, &signature, sent.as_deref()))
            }
        };
        if signer.is_none() {
            return Err(Failure::Authentication);
        }
    }
    if let Some(verifier) = &options.verifier {
        let document = finished.document().ok_or(Failure::Authentication)?;
        if !verifier.0(&document, &attestation::user_data(moment, th)) {
            return Err(Failure::Authentication);
        }
    }
    Ok(signer)
}
