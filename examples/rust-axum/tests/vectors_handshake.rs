//! v1.json: what happens until both ends are open.
use crate::common::*;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use pq_websocket::attestation::{self, Attester, Verifier};
use pq_websocket::fast_open::{is_selection_allowed, offer, Offer};
use pq_websocket::hello::{self, Features};
use pq_websocket::identity::{signed_bytes, Identity, Moment, Pin};
use pq_websocket::kem::{DecapsulationKey, EncapsulationKey, Kem, Kems};
use pq_websocket::protocol::{Event, Incoming, Outgoing, Protocol};
use pq_websocket::schedule::{derive, transcript_hash, Direction, Exporter};
use pq_websocket::v1::{ClientOptions, Context, ServerOptions};
use serde_json::Value;
use std::time::Instant;

#[test]
fn kem() {
    let vectors = load("v1.json");
    let kem = &vectors["kem"];
    let key = DecapsulationKey::generate(Kem::MlKem768, &mut Script::new([hex(&vectors["inputs"]["keySeed"])]));
    assert_eq!(key.encapsulation_key(), hex(&kem["encapsulationKey"]));
    let mut m = Script::new([hex(&vectors["inputs"]["m"])]);
    let public = EncapsulationKey::parse(Kem::MlKem768, &hex(&kem["encapsulationKey"])).expect("the key is good");
    let (ciphertext, ss) = public.encapsulate(&mut m).expect("the key is good");
    assert_eq!(ciphertext, hex(&kem["ciphertext"]));
    assert_eq!(ss.bytes().to_vec(), hex(&kem["sharedSecret"]));
    assert_eq!(key.decapsulate(&hex(&kem["ciphertext"])).expect("its length is right").bytes(), ss.bytes());
}

#[test]
fn transcripts() {
    let vectors = load("v1.json");
    for case in cases(&vectors["transcripts"]) {
        let context = case.get("context").map(hex);
        let th = transcript_hash(text(&case["clientHello"]), text(&case["serverHello"]), context.as_deref());
        assert_eq!(th.to_vec(), hex(&case["th"]), "{}", case["name"]);
    }
}

#[test]
fn secrets_and_exports() {
    let vectors = load("v1.json");
    for session in [&vectors["session"], &vectors["sessionWithContext"]] {
        let context = session.get("context").map(hex);
        let th = transcript_hash(text(&session["clientHello"]), text(&session["serverHello"]), context.as_deref());
        assert_eq!(th.to_vec(), hex(&session["th"]));
        for case in cases(&session["secrets"]) {
            let ikm = cases(&session["secrets"]).iter().find(|other| other["name"] == case["ikm"]);
            let ikm = secret(ikm.map_or(&session["ss"], |ikm| &ikm["okm"]));
            let info = String::from_utf8(hex(&case["info"])).expect("a label is text");
            let label = info.strip_prefix("pq-websocket/1 ").expect("every label begins so");
            assert_eq!(derive(&th, &ikm, &[label]).bytes().to_vec(), hex(&case["okm"]), "{}", case["name"]);
        }
        let exporter = Exporter::start(th, &secret(&session["ss"]));
        for case in cases(&session["exports"]) {
            let bytes =
                exporter.export(text(&case["label"]), number(&case["length"]) as usize).expect("the length is allowed");
            match case.get("bytes") {
                Some(wanted) => assert_eq!(bytes, hex(wanted), "{}", case["name"]),
                None => {
                    let hash = pq_websocket::crypto::sha256(&[&bytes]);
                    assert_eq!(hash.to_vec(), hex(&case["sha256"]), "{}", case["name"]);
                }
            }
        }
        for length in [0, 8161] {
            assert!(exporter.export("", length).is_err());
        }
    }
}

/// Both whole handshakes, with a connection's own exporter at their end.
#[test]
fn sessions() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for session in [&vectors["session"], &vectors["sessionWithContext"]] {
        let (mut client_options, mut server_options) = (ClientOptions::default(), ServerOptions::default());
        if let Some(context) = session.get("context") {
            client_options.common.context = Context::new(hex(context)).ok();
            server_options.common.context = Context::new(hex(context)).ok();
        }
        let client = open_end(session, client_with(&vectors, client_options, now), "client", now);
        let server = open_end(session, server_with(&vectors, server_options, now), "server", now);
        for end in [client, server] {
            assert_eq!(end.transcript_hash().map(Vec::from), Some(hex(&session["th"])));
            for case in cases(&session["exports"]).iter().filter(|case| case.get("bytes").is_some()) {
                let length = number(&case["length"]) as usize;
                assert_eq!(end.export_key(text(&case["label"]), length), Ok(hex(&case["bytes"])));
            }
        }
    }
}

#[test]
fn accepted_hellos() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["acceptedHellos"]) {
        let name = &case["name"];
        let to_client = case["to"] == "client";
        let mut end = if to_client { client(&vectors, now) } else { server(&vectors, now) };
        end.receive(incoming(&case["message"]), now);
        assert_eq!(end.transcript_hash().map(Vec::from), Some(hex(&case["th"])), "{name}");
        let [theirs, own] =
            if to_client { ["serverFinished", "clientFinished"] } else { ["clientFinished", "serverFinished"] };
        end.receive(Incoming::Binary(hex(&case[theirs])), now);
        assert_eq!(outgoing(&mut end).pop(), Some(Outgoing::Binary(hex(&case[own]))), "{name}");
        assert_eq!(events(&mut end), [Event::Open], "{name}");
    }
}

#[test]
fn refused_hellos() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["refusedHellos"]) {
        let mut end = if case["to"] == "client" { client(&vectors, now) } else { server(&vectors, now) };
        end.receive(incoming(&case["message"]), now);
        assert_eq!(failure_code(&mut end).map(u64::from), case["code"].as_u64(), "{}", case["name"]);
    }
}

fn pinned(vectors: &Value, names: &Value) -> ClientOptions {
    let keys = cases(&vectors["serverIdentity"]["keys"]);
    let key = |name: &Value| keys.iter().find(|key| key["name"] == *name).expect("pins name keys");
    let pin = |name: &Value| Pin::new(&hex(&key(name)["publicKey"])).expect("the length of a public key");
    let pins = names.as_array().map_or(Vec::new(), |names| names.iter().map(pin).collect());
    ClientOptions { pins, ..ClientOptions::default() }
}

/// An end that awaits the peer's Finished.
fn awaiting_finished(vectors: &Value, case: &Value, now: Instant) -> pq_websocket::v1::Connection {
    let to_client = case["to"] == "client";
    let mut end =
        if to_client { client_with(vectors, pinned(vectors, &case["pins"]), now) } else { server(vectors, now) };
    let hello = if to_client { "serverHello" } else { "clientHello" };
    end.receive(Incoming::Text(text(&vectors["session"][hello]).to_owned()), now);
    outgoing(&mut end);
    end
}

#[test]
fn accepted_finished() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["acceptedFinished"]) {
        let mut end = awaiting_finished(&vectors, case, now);
        end.receive(incoming(&case["message"]), now);
        assert_eq!(events(&mut end), [Event::Open], "{}", case["name"]);
    }
}

#[test]
fn refused_finished() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["refusedFinished"]) {
        let mut end = awaiting_finished(&vectors, case, now);
        end.receive(incoming(&case["message"]), now);
        assert_eq!(failure_code(&mut end).map(u64::from), case["code"].as_u64(), "{}", case["name"]);
    }
}

#[test]
fn server_identity() {
    let vectors = load("v1.json");
    let section = &vectors["serverIdentity"];
    let th = array(&vectors["session"]["th"]);
    let message = signed_bytes(Moment::Handshake, Direction::Server, &th);
    assert_eq!(message, hex(&section["signedBytes"]));
    for key in cases(&section["keys"]) {
        let identity = Identity::from_seed(secret(&key["seed"]));
        assert_eq!(identity.public_key(), hex(&key["publicKey"]));
        let by_this_key = key["name"] == "identity";
        assert_eq!(identity.sign(&message) == Some(hex(&section["signature"])), by_this_key);
        let pin = Pin::new(&identity.public_key()).expect("the length of a public key");
        assert_eq!(pin.verifies(&message, &hex(&section["signature"]), None).is_some(), by_this_key);
    }
    let now = Instant::now();
    let options = ServerOptions {
        identity: Some(Identity::from_seed(secret(&section["keys"][0]["seed"]))),
        ..ServerOptions::default()
    };
    let finished = &section["serverFinished"];
    assert_eq!(server_finished(&vectors, options, &finished["nonce"], now), hex(&finished["frame"]));
}

/// The Finished of a server with these options, sealed under this nonce.
fn server_finished(vectors: &Value, mut options: ServerOptions, nonce: &Value, now: Instant) -> Vec<u8> {
    bare(&mut options.common);
    let random = Script::new([hex(&vectors["inputs"]["m"]), hex(nonce)]);
    let mut server = pq_websocket::v1::Connection::server(options.into(), Box::new(random), now);
    server.receive(Incoming::Text(text(&vectors["session"]["clientHello"]).to_owned()), now);
    let Some(Outgoing::Binary(frame)) = outgoing(&mut server).pop() else { panic!("the server sends no Finished") };
    frame
}

#[test]
fn attestation_documents() {
    let vectors = load("v1.json");
    let section = &vectors["attestation"];
    let now = Instant::now();
    let (user_data, document) = (hex(&section["userData"]), hex(&section["document"]));
    assert_eq!(attestation::user_data(Moment::Handshake, &array(&vectors["session"]["th"])).bytes, user_data);
    let verifying = || {
        let (user_data, document) = (user_data.clone(), document.clone());
        let verifier = Verifier(Box::new(move |got, data| got == document && data.bytes == user_data));
        let mut end =
            client_with(&vectors, ClientOptions { verifier: Some(verifier), ..ClientOptions::default() }, now);
        end.receive(Incoming::Text(text(&vectors["session"]["serverHello"]).to_owned()), now);
        outgoing(&mut end);
        end
    };
    let mut end = verifying();
    end.receive(Incoming::Binary(hex(&section["serverFinished"]["frame"])), now);
    assert_eq!(events(&mut end), [Event::Open]);
    for case in cases(&section["refusedFinished"]) {
        let mut end = verifying();
        end.receive(incoming(&case["message"]), now);
        assert_eq!(failure_code(&mut end).map(u64::from), case["code"].as_u64(), "{}", case["name"]);
    }
    let attester = Attester(Box::new({
        let document = document.clone();
        move |data| (data.bytes == user_data).then(|| document.clone())
    }));
    let options = ServerOptions { attester: Some(attester), ..ServerOptions::default() };
    let finished = &section["serverFinished"];
    assert_eq!(server_finished(&vectors, options, &finished["nonce"], now), hex(&finished["frame"]));
}

#[test]
fn implicit_rejection() {
    let vectors = load("v1.json");
    let section = &vectors["implicitRejection"];
    let now = Instant::now();
    let key = DecapsulationKey::generate(Kem::MlKem768, &mut Script::new([hex(&vectors["inputs"]["keySeed"])]));
    let answer = hello::parse_server(text(&section["serverHello"]), &Kems::offered(), Features::default())
        .expect("the hello is well-formed");
    assert_eq!(
        key.decapsulate(&answer.ciphertext).expect("its length is right").bytes().to_vec(),
        hex(&section["sharedSecretOfTheClient"])
    );
    for message in ["message", "messageUnderTheRightSecret"] {
        let mut end = client(&vectors, now);
        end.receive(Incoming::Text(text(&section["serverHello"]).to_owned()), now);
        assert_eq!(end.transcript_hash().map(Vec::from), Some(hex(&section["th"])));
        outgoing(&mut end);
        end.receive(incoming(&section[message]), now);
        assert_eq!(failure_code(&mut end).map(u64::from), section["code"].as_u64(), "{message}");
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|entry| text(entry).to_owned()).collect()
}

fn read_offer(case: &Value) -> Offer {
    let protocols = strings(&case["protocols"]);
    Offer::read(protocols.iter().map(String::as_str))
}

#[test]
fn fast_open_offers() {
    let vectors = load("v1.json");
    let fast_open = &vectors["fastOpen"];
    let hello = text(&fast_open["clientHello"]);
    for case in cases(&fast_open["offered"]) {
        let application = strings(&case["application"]);
        assert_eq!(offer(&application, hello), strings(&case["protocols"]), "{}", case["name"]);
        let offer = read_offer(case);
        assert_eq!(offer.application, application, "{}", case["name"]);
        assert_eq!(offer.client_hello.as_deref(), Some(hello), "{}", case["name"]);
        assert_eq!(offer.select(&application).as_deref(), case["select"].as_str(), "{}", case["name"]);
    }
    for case in cases(&fast_open["ignoredTokens"]) {
        let Some(hello) = read_offer(case).client_hello else { continue };
        let now = Instant::now();
        let mut end = server(&vectors, now);
        end.answer_early(hello, now);
        assert!(!end.has_answered_early(), "{}", case["name"]);
    }
    let chat = [String::from("chat")];
    for (selected, own, fast_open, is_allowed) in [
        (None, &[][..], false, true),
        (None, &chat, true, false),
        (Some("chat"), &chat, true, true),
        (Some("pqws1"), &[], true, true),
        (Some("pqws1"), &chat, true, false),
        (Some("pqws1"), &[], false, false),
        (Some("pqws1.x"), &[], true, false),
    ] {
        assert_eq!(is_selection_allowed(selected, own, fast_open), is_allowed, "{selected:?} {own:?} {fast_open}");
    }
}

#[test]
fn fast_open_first_messages() {
    let vectors = load("v1.json");
    let (session, now) = (&vectors["session"], Instant::now());
    let hello = text(&vectors["fastOpen"]["clientHello"]);
    let early = || {
        let mut end = server(&vectors, now);
        end.answer_early(hello.to_owned(), now);
        let answer = [
            Outgoing::Text(text(&session["serverHello"]).to_owned()),
            Outgoing::Binary(hex(&session["serverFinished"]["frame"])),
        ];
        assert_eq!(outgoing(&mut end), answer);
        assert!(end.has_answered_early());
        end
    };
    for case in cases(&vectors["fastOpen"]["refusedFirstMessages"]) {
        let mut end = early();
        end.receive(incoming(&case["message"]), now);
        assert_eq!(failure_code(&mut end).map(u64::from), case["code"].as_u64(), "{}", case["name"]);
    }
    let repeat = |end: &mut pq_websocket::v1::Connection| {
        end.receive(Incoming::Text(hello.to_owned()), now);
        assert_eq!(events(end), [], "nothing is delivered before Finished(client)");
        end.receive(Incoming::Binary(hex(&session["clientFinished"]["frame"])), now);
    };
    let mut end = early();
    repeat(&mut end);
    assert_eq!((events(&mut end), outgoing(&mut end)), (vec![Event::Open], vec![]));
    // Closing unrepeated, then closing unconfirmed, then close sent.
    let mut end = early();
    end.close(Some(4000), "bye", now).expect("the close is allowed");
    assert!(matches!(outgoing(&mut end)[..], [Outgoing::Binary(_)]), "a sealed close");
    repeat(&mut end);
    assert_eq!((events(&mut end), outgoing(&mut end), end.is_open()), (vec![], vec![], false));
}

/// It counts for nothing, its own key included, and the message is answered as if no token had been there.
#[test]
fn a_hello_refused_early_counts_for_nothing() {
    let vectors = load("v1.json");
    let now = Instant::now();
    let mut end = server(&vectors, now);
    let good = hex(&vectors["kem"]["encapsulationKey"]);
    let key = [&[0xff; 3], &good[3..]].concat();
    let hello = text(&vectors["session"]["clientHello"]).replace(&STANDARD.encode(&good), &STANDARD.encode(&key));
    end.answer_early(hello, now);
    assert!(!end.has_answered_early());
    assert_eq!((outgoing(&mut end), events(&mut end)), (vec![], vec![]));
    open_end(&vectors["session"], end, "server", now);
}

#[test]
fn a_client_refuses_a_selection_before_it_says_anything() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for (selected, is_allowed) in [(Some("pqws1"), true), (None, false), (Some("pqws1.x"), false)] {
        let mut end = client_with(&vectors, ClientOptions { fast_open: true, ..ClientOptions::default() }, now);
        end.transport_opened(selected, now);
        if is_allowed {
            open_end(&vectors["session"], end, "client", now);
        } else {
            assert_eq!(end.queues().outgoing.len(), 1, "the close alone");
            assert_eq!(failure_code(&mut end), Some(3768));
        }
    }
}
