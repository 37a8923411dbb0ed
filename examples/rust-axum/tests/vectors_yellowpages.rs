//! yellowpages.json, both ends.
mod common;

use common::*;
use pq_websocket::attestation::{yellowpages_user_data, Attester, Verifier};
use pq_websocket::crypto::{sha256, Aead};
use pq_websocket::protocol::{Event, Incoming, Message, Outgoing, Protocol};
use pq_websocket::yellowpages::{Connection, Options, Role};
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;

/// An end whose frames get the nonces of these vectors.
fn end(vectors: &Value, to: &str, nonces: Vec<Vec<u8>>) -> Connection {
    let document = pq_websocket::hello::parse_yellowpages_server(text(&vectors["serverHello"]))
        .ok()
        .and_then(|(_, object)| object.yellowpages_document())
        .expect("the vectors' ServerHello holds a document");
    let user_data = text(&vectors["attestation"]["userData"]).as_bytes().to_vec();
    let (role, first) = if to == "client" {
        let verifier = Verifier(Box::new(move |got, data| got == document && data == user_data));
        (Role::Client(Some(verifier)), hex(&vectors["inputs"]["keySeed"]))
    } else {
        let attester = Attester(Box::new(move |data| (data == user_data).then(|| document.clone())));
        (Role::Server(attester), hex(&vectors["inputs"]["m"]))
    };
    let random = Script::new([vec![first], nonces].concat());
    Connection::new(Arc::new(Options::new(role)), Box::new(random), Instant::now())
}

/// The same, open; its hello is checked on the way.
fn open(vectors: &Value, to: &str, nonces: Vec<Vec<u8>>) -> Connection {
    let mut end = end(vectors, to, nonces);
    let [theirs, own] = if to == "client" { ["serverHello", "clientHello"] } else { ["clientHello", "serverHello"] };
    end.receive(Incoming::Text(text(&vectors[theirs]).to_owned()), Instant::now());
    assert_eq!(outgoing(&mut end), [Outgoing::Text(text(&vectors[own]).to_owned())]);
    assert_eq!(events(&mut end), [Event::Open]);
    end
}

fn refuses(end: &mut Connection, case: &Value) {
    end.receive(incoming(&case["message"]), Instant::now());
    assert_eq!(failure_code(end).map(u64::from), case["code"].as_u64(), "{}", case["name"]);
}

#[test]
fn attestation() {
    let vectors = load("yellowpages.json");
    let ciphertext = hex(&vectors["kem"]["ciphertext"]);
    assert_eq!(sha256(&[&ciphertext]).to_vec(), hex(&vectors["attestation"]["ciphertextSha256"]));
    assert_eq!(yellowpages_user_data(&ciphertext), text(&vectors["attestation"]["userData"]).as_bytes());
}

#[test]
fn frames() {
    let vectors = load("yellowpages.json");
    let of = |from: &str| cases(&vectors["frames"]).iter().filter(|frame| frame["from"] == from).collect::<Vec<_>>();
    for (to, from) in [("client", "server"), ("server", "client")] {
        let own = of(to);
        let nonces = own.iter().map(|frame| hex(&frame["nonce"])).collect();
        assert!(!own.is_empty(), "both ends send");
        let mut end = open(&vectors, to, nonces);
        for frame in own {
            end.send(&hex(&frame["plaintext"])).expect("the end is open");
            assert_eq!(outgoing(&mut end), [Outgoing::Binary(hex(&frame["frame"]))]);
        }
        for frame in of(from) {
            end.receive(Incoming::Binary(hex(&frame["frame"])), Instant::now());
            assert_eq!(events(&mut end), [Event::Message(Message::Binary(hex(&frame["plaintext"])))]);
        }
    }
}

#[test]
fn accepted_hellos() {
    let vectors = load("yellowpages.json");
    for case in cases(&vectors["acceptedHellos"]) {
        let mut end = end(&vectors, text(&case["to"]), Vec::new());
        end.receive(incoming(&case["message"]), Instant::now());
        assert_eq!(events(&mut end), [Event::Open], "{}", case["name"]);
    }
}

#[test]
fn refused_hellos() {
    let vectors = load("yellowpages.json");
    for case in cases(&vectors["refusedHellos"]) {
        refuses(&mut end(&vectors, text(&case["to"]), Vec::new()), case);
    }
}

#[test]
fn refused_frames() {
    let vectors = load("yellowpages.json");
    let aead = Aead::new(&secret(&vectors["kem"]["sharedSecret"]));
    for case in cases(&vectors["refusedFrames"]) {
        let before = case["before"].as_array().expect("a list");
        // What the end has sent, it sends again here: same nonce, same plaintext.
        let sent: Vec<Vec<u8>> =
            before.iter().filter_map(|step| step.get("sent")).map(|sent| hex(&sent["binary"])).collect();
        let nonces = sent.iter().map(|frame| frame[..12].to_vec()).collect();
        let mut end = open(&vectors, text(&case["to"]), nonces);
        for frame in sent {
            end.send(&aead.open(frame.clone(), &[]).expect("the step's frame opens")).expect("the end is open");
            assert_eq!(outgoing(&mut end), [Outgoing::Binary(frame)]);
        }
        for received in before.iter().filter_map(|step| step.get("receive")) {
            end.receive(incoming(received), Instant::now());
            assert!(matches!(events(&mut end).as_slice(), [Event::Message(_)]), "{}", case["name"]);
        }
        refuses(&mut end, case);
    }
}
