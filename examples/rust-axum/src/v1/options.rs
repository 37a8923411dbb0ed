//! What an application decides, shared by all its connections.
use crate::attestation::{Attester, Verifier};
use crate::failure::Misuse;
use crate::identity::{ClientKeys, Identity, Pin};
use crate::kem::Kems;
use crate::record::{Padding, UpdatePolicy, EPOCH_RECORDS};
use std::time::Duration;

/// What both ends know of the request, set alike at both (section 5). Never empty.
#[derive(Clone, Debug)]
pub struct Context(Vec<u8>);

impl Context {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Misuse> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            Err(Misuse::EmptyContext)
        } else {
            Ok(Self(bytes))
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// When an end asks for an exchange, and how long a step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangePolicy {
    /// The age of a generation.
    pub after: Duration,
    pub timeout: Duration,
}

impl Default for ExchangePolicy {
    fn default() -> Self {
        Self { after: Duration::from_secs(3600), timeout: Duration::from_secs(60) }
    }
}

/// Whether sealed pings are known, and whether this end looks for a dead peer by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeartbeatPolicy {
    /// Neither offered nor answered.
    Off,
    /// The peer's pings are answered, and the application may ping.
    #[default]
    Answer,
    /// When nothing has been opened for `interval` a ping goes out; when nothing is opened within `timeout` after it, the
    /// connection ends. `timeout` must exceed what the largest message takes on the slowest link.
    Beat { interval: Duration, timeout: Duration },
}

#[derive(Debug)]
pub struct Options {
    pub context: Option<Context>,
    /// The longest message that is received, in bytes.
    pub max_payload: usize,
    pub handshake_timeout: Duration,
    pub padding: Padding,
    pub update_policy: UpdatePolicy,
    /// `None`: exchanges are neither offered nor answered.
    pub exchange: Option<ExchangePolicy>,
    pub heartbeat: HeartbeatPolicy,
    /// Puts a member that nobody knows into the hello.
    pub grease: bool,
    /// What a receiver takes in one epoch. Not for applications: tests lower it.
    pub epoch_records: u64,
    /// Where `seq` begins in both directions. Not for applications: tests reach numbers with it that no run does.
    pub first_seq: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            context: None,
            max_payload: 16 << 20,
            handshake_timeout: Duration::from_secs(10),
            padding: Padding::Off,
            update_policy: UpdatePolicy::default(),
            exchange: Some(ExchangePolicy::default()),
            heartbeat: HeartbeatPolicy::default(),
            grease: true,
            epoch_records: EPOCH_RECORDS,
            first_seq: 0,
        }
    }
}

#[derive(Debug)]
pub struct ClientOptions {
    pub common: Options,
    /// Offered, each with a key of its own. With fast open, one had better be enough.
    pub kems: Kems,
    /// Public keys, or fingerprints of some, of which one has to have signed. Empty: nobody has to.
    pub pins: Vec<Pin>,
    /// Asks for a document and judges it.
    pub verifier: Option<Verifier>,
    /// Proves who the client is, where the server asks.
    pub identity: Option<Identity>,
    /// The application's own. Those that `fast_open::is_reserved` are refused.
    pub subprotocols: Vec<String>,
    /// Sends ClientHello in the upgrade request, which spares a round trip: for servers known to select `pqws1` (section 13).
    pub fast_open: bool,
}

impl ClientOptions {
    /// Whether the server has to prove something.
    pub(super) fn asks(&self) -> bool {
        !self.pins.is_empty() || self.verifier.is_some()
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            common: Options::default(),
            kems: Kems::offered(),
            pins: Vec::new(),
            verifier: None,
            identity: None,
            subprotocols: Vec::new(),
            fast_open: false,
        }
    }
}

#[derive(Debug)]
pub struct ServerOptions {
    pub common: Options,
    /// Taken, in this order.
    pub kems: Kems,
    pub identity: Option<Identity>,
    /// Sends the identity's public key too, for clients that pin its fingerprint.
    pub send_public_key: bool,
    pub attester: Option<Attester>,
    /// Demands of every client that it proves one of these.
    pub client_keys: Option<ClientKeys>,
}

impl ServerOptions {
    /// Whether it has something to say of itself.
    pub(super) fn proves(&self) -> bool {
        self.identity.is_some() || self.attester.is_some()
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            common: Options::default(),
            kems: Kems::accepted(),
            identity: None,
            send_public_key: false,
            attester: None,
            client_keys: None,
        }
    }
}
