//! The hellos and the content of Finished: JSON objects with base64 members (section 4, section 15).
use crate::failure::Failure;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub const LONGEST_HELLO: usize = 16_384;
/// yellowpages' carries a document.
pub const LONGEST_SERVER_HELLO: usize = 65_536;

const VERSION: &str = "pq_websocket";
const KEY: &str = "ml_kem_768_encapsulation_key";
const CIPHERTEXT: &str = "ml_kem_768_ciphertext";
const SIGNATURE: &str = "ml_dsa_65_signature";
const PUBLIC_KEY: &str = "ml_dsa_65_public_key";
const DOCUMENT: &str = "attestation_doc";
const YELLOWPAGES_DOCUMENT: &str = "auth_attestation_doc";

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

    pub fn has_version(&self) -> bool {
        self.0.contains_key(VERSION)
    }

    /// The number 1, however it is spelled.
    fn is_version_1(&self) -> bool {
        self.0.get(VERSION).and_then(|raw| serde_json::from_str::<f64>(raw.get()).ok()) == Some(1.0)
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

fn exact<const N: usize>(object: &Object, name: &str) -> Result<[u8; N], Failure> {
    object.base64(name).and_then(|bytes| bytes.try_into().ok()).ok_or(Failure::Handshake)
}

fn parse_v1<const N: usize>(text: &str, name: &str) -> Result<[u8; N], Failure> {
    let object = parse_hello(text, LONGEST_HELLO)?;
    if !object.is_version_1() {
        return Err(Failure::Handshake);
    }
    exact(&object, name)
}

pub fn parse_client(text: &str) -> Result<[u8; crate::crypto::ENCAPSULATION_KEY], Failure> {
    parse_v1(text, KEY)
}

pub fn parse_server(text: &str) -> Result<[u8; crate::crypto::CIPHERTEXT], Failure> {
    parse_v1(text, CIPHERTEXT)
}

fn parse_yellowpages(text: &str, longest: usize) -> Result<Object, Failure> {
    let object = parse_hello(text, longest)?;
    if object.has_version() {
        return Err(Failure::Handshake);
    }
    Ok(object)
}

pub fn parse_yellowpages_client(text: &str) -> Result<[u8; crate::crypto::ENCAPSULATION_KEY], Failure> {
    exact(&parse_yellowpages(text, LONGEST_HELLO)?, KEY)
}

pub fn parse_yellowpages_server(text: &str) -> Result<([u8; crate::crypto::CIPHERTEXT], Object), Failure> {
    let object = parse_yellowpages(text, LONGEST_SERVER_HELLO)?;
    Ok((exact(&object, CIPHERTEXT)?, object))
}

pub fn client(key: &[u8]) -> String {
    format!(r#"{{"{VERSION}":1,"{KEY}":"{}"}}"#, STANDARD.encode(key))
}

pub fn server(ciphertext: &[u8]) -> String {
    format!(r#"{{"{VERSION}":1,"{CIPHERTEXT}":"{}"}}"#, STANDARD.encode(ciphertext))
}

pub fn yellowpages_client(key: &[u8]) -> String {
    format!(r#"{{"{KEY}":"{}"}}"#, STANDARD.encode(key))
}

pub fn yellowpages_server(ciphertext: &[u8], document: Option<&[u8]>) -> String {
    let document = document.map(|document| format!(r#","{YELLOWPAGES_DOCUMENT}":"{}""#, STANDARD.encode(document)));
    format!(r#"{{"{CIPHERTEXT}":"{}"{}}}"#, STANDARD.encode(ciphertext), document.unwrap_or_default())
}

/// The content of Finished(server).
pub fn finished(signature: Option<&[u8]>, public_key: Option<&[u8]>, document: Option<&[u8]>) -> String {
    let members = [(SIGNATURE, signature), (PUBLIC_KEY, public_key), (DOCUMENT, document)];
    let members =
        members.iter().filter_map(|(name, value)| Some(format!(r#""{name}":"{}""#, STANDARD.encode((*value)?))));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
