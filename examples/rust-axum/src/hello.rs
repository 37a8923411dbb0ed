//! The hellos and the content of Finished: JSON objects with base64 members (section 4, section 15).
use crate::crypto::Random;
use crate::failure::Failure;
use crate::kem::{DecapsulationKey, EncapsulationKey, Kem, Kems};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub const LONGEST_HELLO: usize = 16_384;
/// yellowpages' carries a document.
pub const LONGEST_SERVER_HELLO: usize = 65_536;

const VERSION: &str = "pq_websocket";
const SIGNATURE: &str = "ml_dsa_65_signature";
const PUBLIC_KEY: &str = "ml_dsa_65_public_key";
const DOCUMENT: &str = "attestation_doc";
const YELLOWPAGES_DOCUMENT: &str = "auth_attestation_doc";
const GREASE: &str = "grease_";

/// What a hello offers or answers (section 14). Each is a member whose value is the number 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    pub exchange: bool,
    pub client_identity: bool,
    pub heartbeat: bool,
}

impl Features {
    /// Those for whose member `is_on` holds.
    fn from_members(is_on: impl Fn(&str) -> bool) -> Self {
        Self { exchange: is_on("exchange"), client_identity: is_on("client_identity"), heartbeat: is_on("heartbeat") }
    }

    fn members(self) -> [(&'static str, bool); 3] {
        [("exchange", self.exchange), ("client_identity", self.client_identity), ("heartbeat", self.heartbeat)]
    }

    pub fn and(self, other: Self) -> Self {
        Self {
            exchange: self.exchange && other.exchange,
            client_identity: self.client_identity && other.client_identity,
            heartbeat: self.heartbeat && other.heartbeat,
        }
    }
}

/// A JSON object whose values stay unparsed until somebody asks for them, so that an unknown member can be anything that
/// JSON allows: numbers beyond f64, escapes of lone surrogates, any depth. Of a member sent twice, the last counts.
#[derive(Debug)]
pub struct Object(BTreeMap<String, Box<RawValue>>);

impl Object {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // Checked here because serde_json does not look into the strings that it skips.
        let text = std::str::from_utf8(bytes).ok()?;
        serde_json::from_str(text).ok().map(Self)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn has_version(&self) -> bool {
        self.has(VERSION)
    }

    /// The number 1, however it is spelled.
    fn is_1(&self, name: &str) -> bool {
        self.0.get(name).and_then(|raw| serde_json::from_str::<f64>(raw.get()).ok()) == Some(1.0)
    }

    /// A member that is a string of canonical base64: this engine refuses missing padding, set unused bits and white space.
    fn base64(&self, name: &str) -> Option<Vec<u8>> {
        let text: String = serde_json::from_str(self.0.get(name)?.get()).ok()?;
        STANDARD.decode(text).ok()
    }

    pub fn signature(&self) -> Option<Vec<u8>> {
        self.base64(SIGNATURE)
    }

    pub fn public_key(&self) -> Option<Vec<u8>> {
        self.base64(PUBLIC_KEY)
    }

    pub fn document(&self) -> Option<Vec<u8>> {
        self.base64(DOCUMENT)
    }

    pub fn yellowpages_document(&self) -> Option<Vec<u8>> {
        self.base64(YELLOWPAGES_DOCUMENT).filter(|document| !document.is_empty())
    }
}

/// Whether a server that speaks both profiles takes this first message for yellowpages': a JSON object without the member
/// that v1 demands.
pub fn is_yellowpages(hello: &str) -> bool {
    hello.len() <= LONGEST_HELLO && Object::parse(hello.as_bytes()).is_some_and(|object| !object.has_version())
}

fn parse_hello(text: &str, longest: usize) -> Result<Object, Failure> {
    if text.len() > longest {
        return Err(Failure::Handshake);
    }
    Object::parse(text.as_bytes()).ok_or(Failure::Handshake)
}

fn exact(object: &Object, (name, length): (&str, usize)) -> Result<Vec<u8>, Failure> {
    object.base64(name).filter(|bytes| bytes.len() == length).ok_or(Failure::Handshake)
}

fn parse_v1(text: &str) -> Result<Object, Failure> {
    let object = parse_hello(text, LONGEST_HELLO)?;
    if !object.is_1(VERSION) {
        return Err(Failure::Handshake);
    }
    Ok(object)
}

/// What a server takes from ClientHello: the first KEM of its list that is offered.
#[derive(Debug)]
pub struct ClientOffer {
    pub key: EncapsulationKey,
    pub features: Features,
}

/// A malformed key for any accepted KEM is refused, even where another one is taken. A member for another KEM is ignored,
/// whatever it is, and a feature's member that is not the number 1 is no offer.
pub fn parse_client(text: &str, accepted: &Kems) -> Result<ClientOffer, Failure> {
    let object = parse_v1(text)?;
    let mut taken = None;
    for kem in accepted.iter().filter(|kem| object.has(kem.key().0)) {
        let key = EncapsulationKey::parse(kem, &exact(&object, kem.key())?).ok_or(Failure::Handshake)?;
        taken.get_or_insert(key);
    }
    let key = taken.ok_or(Failure::Handshake)?;
    Ok(ClientOffer { key, features: Features::from_members(|name| object.is_1(name)) })
}

/// What a client takes from ServerHello.
#[derive(Debug)]
pub struct ServerAnswer {
    pub kem: Kem,
    pub ciphertext: Vec<u8>,
    pub features: Features,
}

/// Exactly one ciphertext, of a KEM that was offered, and no answer to what was not offered.
pub fn parse_server(text: &str, offered: &Kems, asked: Features) -> Result<ServerAnswer, Failure> {
    let object = parse_v1(text)?;
    let mut present = Kem::ALL.into_iter().filter(|kem| object.has(kem.ciphertext().0));
    let (Some(kem), None) = (present.next(), present.next()) else { return Err(Failure::Handshake) };
    let is_unasked = |(name, asked): (&str, bool)| object.has(name) && (!asked || !object.is_1(name));
    if !offered.iter().any(|offered| offered == kem) || asked.members().into_iter().any(is_unasked) {
        return Err(Failure::Handshake);
    }
    let ciphertext = exact(&object, kem.ciphertext())?;
    Ok(ServerAnswer { kem, ciphertext, features: Features::from_members(|name| object.has(name)) })
}

fn parse_yellowpages(text: &str, longest: usize) -> Result<Object, Failure> {
    let object = parse_hello(text, longest)?;
    if object.has_version() {
        return Err(Failure::Handshake);
    }
    Ok(object)
}

pub fn parse_yellowpages_client(text: &str) -> Result<Vec<u8>, Failure> {
    exact(&parse_yellowpages(text, LONGEST_HELLO)?, Kem::MlKem768.key())
}

pub fn parse_yellowpages_server(text: &str) -> Result<(Vec<u8>, Object), Failure> {
    let object = parse_yellowpages(text, LONGEST_SERVER_HELLO)?;
    Ok((exact(&object, Kem::MlKem768.ciphertext())?, object))
}

/// A member that no peer knows, so that one which refuses unknown members fails the first time.
pub fn grease(random: &mut dyn Random) -> String {
    const VALUES: [&str; 11] =
        ["1", "-1.5e3", "null", "true", "false", r#""""#, r#""grease""#, "[]", "[1,[2]]", "{}", r#"{"a":null}"#];
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let name: String = bytes[1..].iter().map(|byte| format!("{byte:02x}")).collect();
    format!(r#""{GREASE}{name}":{}"#, VALUES[usize::from(bytes[0]) % VALUES.len()])
}

fn hello(members: impl Iterator<Item = (&'static str, Vec<u8>)>, features: Features, grease: Option<String>) -> String {
    let version = format!(r#""{VERSION}":1"#);
    let values = members.map(|(name, value)| format!(r#""{name}":"{}""#, STANDARD.encode(value)));
    let on = features.members().into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| format!(r#""{name}":1"#));
    let all: Vec<String> = std::iter::once(version).chain(values).chain(on).chain(grease).collect();
    format!("{{{}}}", all.join(","))
}

pub fn client(keys: &[DecapsulationKey], features: Features, grease: Option<String>) -> String {
    hello(keys.iter().map(|key| (key.kem().key().0, key.encapsulation_key())), features, grease)
}

pub fn server(kem: Kem, ciphertext: Vec<u8>, features: Features, grease: Option<String>) -> String {
    hello(std::iter::once((kem.ciphertext().0, ciphertext)), features, grease)
}

pub fn yellowpages_client(key: &[u8]) -> String {
    format!(r#"{{"{}":"{}"}}"#, Kem::MlKem768.key().0, STANDARD.encode(key))
}

pub fn yellowpages_server(ciphertext: &[u8], document: Option<&[u8]>) -> String {
    let document = document.map(|document| format!(r#","{YELLOWPAGES_DOCUMENT}":"{}""#, STANDARD.encode(document)));
    let name = Kem::MlKem768.ciphertext().0;
    format!(r#"{{"{name}":"{}"{}}}"#, STANDARD.encode(ciphertext), document.unwrap_or_default())
}

/// The content of a Finished.
pub fn finished(signature: Option<&[u8]>, public_key: Option<&[u8]>, document: Option<&[u8]>) -> String {
    let members = [(SIGNATURE, signature), (PUBLIC_KEY, public_key), (DOCUMENT, document)];
    let members =
        members.iter().filter_map(|(name, value)| Some(format!(r#""{name}":"{}""#, STANDARD.encode((*value)?))));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
