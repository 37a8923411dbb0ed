//! What an application decides, shared by all its connections.
use crate::attestation::{Attester, Verifier};
use crate::failure::Misuse;
use crate::identity::{Identity, Pin};
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

#[derive(Debug)]
pub struct Options {
    pub context: Option<Context>,
    /// The longest message that is received, in bytes.
    pub max_payload: usize,
    pub handshake_timeout: Duration,
    pub padding: Padding,
    pub update_policy: UpdatePolicy,
    /// What a receiver takes in one epoch. Not for applications: tests lower it.
    pub epoch_records: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            context: None,
            max_payload: 16 << 20,
            handshake_timeout: Duration::from_secs(10),
            padding: Padding::Off,
            update_policy: UpdatePolicy::default(),
            epoch_records: EPOCH_RECORDS,
        }
    }
}

#[derive(Debug, Default)]
pub struct ClientOptions {
    pub common: Options,
    /// Public keys, or fingerprints of some, of which one has to have signed. Empty: nobody has to.
    pub pins: Vec<Pin>,
    /// Asks for a document and judges it.
    pub verifier: Option<Verifier>,
    /// The application's own. Those that `fast_open::is_reserved` are refused.
    pub subprotocols: Vec<String>,
    /// Sends ClientHello in the upgrade request, which spares a round trip: for servers known to select `pqws1` (section 13).
    pub fast_open: bool,
}

#[derive(Debug, Default)]
pub struct ServerOptions {
    pub common: Options,
    pub identity: Option<Identity>,
    /// Sends the identity's public key too, for clients that pin its fingerprint.
    pub send_public_key: bool,
    pub attester: Option<Attester>,
}
