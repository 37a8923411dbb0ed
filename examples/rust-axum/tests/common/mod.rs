//! The vectors of the repository, and ends whose randomness and time the test decides.
#![allow(dead_code)] // Each test binary uses its part.
use pq_websocket::crypto::{sha256, Aead, Random, Secret};
use pq_websocket::protocol::{Event, Incoming, Message, Outgoing, Protocol};
use pq_websocket::v1::{ClientOptions, Connection, HeartbeatPolicy, Options, ServerOptions};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// What stands in the place of a lone surrogate, which no `str` holds: nothing that takes one could be given it.
pub const LONE_SURROGATE: &str = "a lone surrogate";

pub fn load(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name} can't be read: {error}"));
    // Labels of exports alone have one; inside hellos and frames it is escaped once more, or hexadecimal.
    let text = text.replace(r#""\ud800""#, &format!("{LONE_SURROGATE:?}"));
    serde_json::from_str(&text).expect("vectors are JSON")
}

/// The cases of a section. A section without any is an error: a test over it would show nothing.
pub fn cases(section: &Value) -> &[Value] {
    let cases = section.as_array().expect("a section is a list");
    assert!(!cases.is_empty(), "a section has no case");
    cases
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a string is expected, not {value}"))
}

pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a number is expected, not {value}"))
}

/// A string, or pieces to be joined.
pub fn long(value: &Value) -> String {
    let piece = |piece: &Value| match piece.get("repeat") {
        Some(repeated) => text(repeated).repeat(number(&piece["times"]) as usize),
        None => text(piece).to_owned(),
    };
    value.as_array().map_or_else(|| piece(value), |pieces| pieces.iter().map(piece).collect())
}

pub fn hex(value: &Value) -> Vec<u8> {
    let digits: Vec<u8> = long(value).bytes().map(|digit| (digit as char).to_digit(16).expect("hex") as u8).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    assert!(rest.is_empty(), "hex has an even number of digits");
    pairs.iter().map(|[high, low]| high << 4 | low).collect()
}

pub fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().expect("the length that the README of the vectors states")
}

pub fn secret(value: &Value) -> Secret {
    Secret::take(&mut hex(value))
}

pub fn incoming(message: &Value) -> Incoming {
    if let Some(value) = message.get("text") {
        return Incoming::Text(long(value));
    }
    if let Some(value) = message.get("binary") {
        return Incoming::Binary(hex(value));
    }
    let seal = &message["seal"];
    let inner = hex(&seal["inner"]);
    let mut random = Script::new([hex(&seal["nonce"])]);
    let frame = Aead::new(&secret(&seal["key"])).seal(&[&inner], inner.len(), &hex(&seal["aad"]), &mut random);
    assert_eq!(sha256(&[&frame]).to_vec(), hex(&seal["frameSha256"]));
    Incoming::Binary(frame)
}

pub fn delivered(list: &Value) -> Vec<Message> {
    let message = |entry: &Value| match entry.get("text") {
        Some(value) => Message::Text(long(value)),
        None => Message::Binary(hex(&entry["binary"])),
    };
    list.as_array().expect("a list").iter().map(message).collect()
}

/// Randomness that a vector states; where it states no more, bytes of a counter.
pub struct Script {
    bytes: VecDeque<u8>,
    counter: u8,
}

impl Script {
    pub fn new(parts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { bytes: parts.into_iter().flatten().collect(), counter: 0 }
    }
}

impl Random for Script {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.counter += 1;
        bytes.iter_mut().for_each(|byte| *byte = self.bytes.pop_front().unwrap_or(self.counter));
    }
}

pub fn nonce(side: &[u8; 4], counter: u64) -> Vec<u8> {
    [&side[..], &counter.to_be_bytes()].concat()
}

/// The application's part of an end, which a test reads.
pub fn outgoing(connection: &mut impl Protocol) -> Vec<Outgoing> {
    connection.queues().outgoing.drain(..).collect()
}

pub fn events(connection: &mut impl Protocol) -> Vec<Event> {
    connection.queues().events.drain(..).collect()
}

/// The one code that the end closes the transport with, and the same one that it tells its application.
pub fn failure_code(connection: &mut impl Protocol) -> Option<u16> {
    let Some(Outgoing::Close((Some(code), _))) = outgoing(connection).pop() else { return None };
    match events(connection).as_slice() {
        [Event::Closed(ending)] if ending.found_here && !ending.clean && ending.code == code => Some(code),
        _ => None,
    }
}

/// What was before the extensions, as v1.json has it.
pub fn bare(options: &mut Options) {
    (options.exchange, options.heartbeat, options.grease) = (None, HeartbeatPolicy::Off, false);
}

/// The end of a vector's connection, with its key pair or its m, before any message.
pub fn client_with(vectors: &Value, mut options: ClientOptions, now: Instant) -> Connection {
    bare(&mut options.common);
    let random = Script::new([hex(&vectors["inputs"]["keySeed"]), nonce(b"clnt", 0)]);
    Connection::client(Arc::new(options), Box::new(random), now)
}

pub fn server_with(vectors: &Value, mut options: ServerOptions, now: Instant) -> Connection {
    bare(&mut options.common);
    let random = Script::new([hex(&vectors["inputs"]["m"]), nonce(b"srvr", 0)]);
    Connection::server(Arc::new(options), Box::new(random), now)
}

pub fn client(vectors: &Value, now: Instant) -> Connection {
    let mut options = ClientOptions::default();
    options.common.max_payload = number(&vectors["inputs"]["maxPayload"]) as usize;
    client_with(vectors, options, now)
}

pub fn server(vectors: &Value, now: Instant) -> Connection {
    let mut options = ServerOptions::default();
    options.common.max_payload = number(&vectors["inputs"]["maxPayload"]) as usize;
    server_with(vectors, options, now)
}

/// The end `to` of the vectors' session with both Finisheds exchanged; what it sent is checked on the way.
pub fn open(vectors: &Value, to: &str, now: Instant) -> Connection {
    let end = if to == "client" { client(vectors, now) } else { server(vectors, now) };
    open_end(&vectors["session"], end, to, now)
}

pub fn open_end(session: &Value, mut end: Connection, to: &str, now: Instant) -> Connection {
    let [client_hello, server_hello] =
        [&session["clientHello"], &session["serverHello"]].map(|hello| text(hello).to_owned());
    let [client_finished, server_finished] =
        ["clientFinished", "serverFinished"].map(|name| hex(&session[name]["frame"]));
    let sent = if to == "client" {
        end.receive(Incoming::Text(server_hello), now);
        end.receive(Incoming::Binary(server_finished), now);
        vec![Outgoing::Text(client_hello), Outgoing::Binary(client_finished)]
    } else {
        end.receive(Incoming::Text(client_hello), now);
        end.receive(Incoming::Binary(client_finished), now);
        vec![Outgoing::Text(server_hello), Outgoing::Binary(server_finished)]
    };
    assert_eq!(outgoing(&mut end), sent);
    assert_eq!(events(&mut end), [Event::Open]);
    end
}

/// Applies a step of `before`, which succeeds.
pub fn step(end: &mut Connection, step: &Value, now: Instant) {
    if let Some(message) = step.get("receive") {
        end.receive(incoming(message), now);
    } else {
        let close = &step["close"];
        let code = close.get("code").map(|code| number(code) as u16);
        end.close(code, close.get("reason").map_or("", text), now).expect("the step's close is allowed");
    }
    assert!(outgoing(end).iter().all(|outgoing| matches!(outgoing, Outgoing::Binary(_))), "a step of `before` fails");
}
