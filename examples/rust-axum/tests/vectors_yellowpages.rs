//! yellowpages.json, both ends.
use crate::common::*;
use pq_websocket::attestation::{yellowpages_user_data, Attester, Verifier};
use pq_websocket::crypto::{sha256, Aead};
use pq_websocket::protocol::{Event, Incoming, Message, Outgoing, Protocol};
use pq_websocket::yellowpages::{Connection, Options, Role};
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;

/// An end whose frames get the nonces of these vectors.
fn end(vectors: &Value, to: &str, nonces: Vec<Vec<u8>>) -> Connection {
    let Options { max_payload, most_frames, .. } = Options::new(Role::Client(None));
    limited(vectors, to, nonces, max_payload, most_frames)
}

fn limited(vectors: &Value, to: &str, nonces: Vec<Vec<u8>>, max_payload: usize, most_frames: usize) -> Connection {
    let document = pq_websocket::hello::parse_yellowpages_server(text(&vectors["serverHello"]))
        .ok()
        .and_then(|(_, object)| object.yellowpages_document())
        .expect("the vectors' ServerHello holds a document");
    let user_data = text(&vectors["attestation"]["userData"]).as_bytes().to_vec();
    let (role, first) = if to == "client" {
        let verifier = Verifier(Box::new(move |got, data| got == document && data.bytes == user_data));
        (Role::Client(Some(verifier)), hex(&vectors["inputs"]["keySeed"]))
    } else {
        let attester = Attester(Box::new(move |data| (data.bytes == user_data).then(|| document.clone())));
        (Role::Server(Some(attester)), hex(&vectors["inputs"]["m"]))
    };
    let random = Script::new([vec![first], nonces].concat());
    let options = Options { max_payload, most_frames, ..Options::new(role) };
    Connection::new(Arc::new(options), Box::new(random), Instant::now())
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
    assert_eq!(yellowpages_user_data(&ciphertext).bytes, text(&vectors["attestation"]["userData"]).as_bytes());
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

/// Both limits, of a message and of a connection's frames, to the byte and to the frame.
#[test]
fn limits() {
    let vectors = load("yellowpages.json");
    for (to, from, code) in [("client", "server", 3773), ("server", "client", 1008)] {
        let aead = Aead::new(&secret(&vectors["kem"]["sharedSecret"]));
        let mut count = 0;
        let mut frame = |length: usize| {
            count += 1;
            let plaintext = vec![0; length];
            let mut random = Script::new([nonce(if from == "client" { b"clnt" } else { b"srvr" }, 1_000 + count)]);
            Incoming::Binary(aead.seal(&[&plaintext], length, &[], &mut random))
        };
        let open_limited = |max_payload, most_frames| {
            let mut end = limited(&vectors, to, vec![nonce(b"own!", 1)], max_payload, most_frames);
            let theirs = if to == "client" { "serverHello" } else { "clientHello" };
            end.receive(Incoming::Text(text(&vectors[theirs]).to_owned()), Instant::now());
            outgoing(&mut end);
            assert_eq!(events(&mut end), [Event::Open]);
            end
        };
        let mut end = open_limited(100, 65_536);
        end.receive(frame(100), Instant::now());
        assert!(matches!(events(&mut end)[..], [Event::Message(_)]));
        end.receive(frame(101), Instant::now());
        assert_eq!(failure_code(&mut end), Some(code), "message");
        let mut end = open_limited(100, 3);
        end.receive(frame(1), Instant::now());
        end.send(b"two").expect("open");
        end.receive(frame(3), Instant::now());
        assert_eq!(events(&mut end).len(), 2);
        outgoing(&mut end);
        end.receive(frame(4), Instant::now());
        assert_eq!(failure_code(&mut end), Some(code), "a fourth frame received");
        let mut end = open_limited(100, 1);
        end.receive(frame(1), Instant::now());
        events(&mut end);
        end.send(b"two").expect("open");
        assert_eq!(failure_code(&mut end), Some(code), "a second frame sent");
    }
}

#[test]
fn a_server_without_attester_leaves_the_document_out() {
    let vectors = load("yellowpages.json");
    let random = Script::new([hex(&vectors["inputs"]["m"])]);
    let options = Arc::new(Options::new(Role::Server(None)));
    let mut server = Connection::new(options, Box::new(random), Instant::now());
    server.receive(Incoming::Text(text(&vectors["clientHello"]).to_owned()), Instant::now());
    let Some(Outgoing::Text(hello)) = outgoing(&mut server).pop() else { panic!("no ServerHello") };
    let hello: Value = serde_json::from_str(&hello).expect("JSON");
    assert_eq!(hello.as_object().map(|members| members.len()), Some(1));

    for (role, code) in [(Role::Client(None), None), (Role::Client(Some(Verifier(Box::new(|_, _| true)))), Some(3770))]
    {
        let random = Script::new([hex(&vectors["inputs"]["keySeed"])]);
        let mut client = Connection::new(Arc::new(Options::new(role)), Box::new(random), Instant::now());
        client.receive(Incoming::Text(hello.to_string()), Instant::now());
        assert_eq!(failure_code(&mut client), code);
    }
}

/// Section 15.4: the transport's word passes, but nothing is clean before *open*, and a failure of the peer's never is.
#[test]
fn transport_closes() {
    let vectors = load("yellowpages.json");
    let closed = |mut end: Connection, close: Option<(u16, &str)>| {
        end.transport_closed(close.map(|(code, reason)| (code, reason.to_owned())));
        let Some(Event::Closed(ending)) = events(&mut end).pop() else { panic!("not closed") };
        (ending.code, ending.reason, ending.clean)
    };
    for (close, clean) in [
        ((1000, "done"), true),
        ((1008, ""), true),
        ((4002, "x"), true),
        ((1005, ""), true),
        ((3768, ""), false),
        ((3773, "x"), false),
    ] {
        let wanted = |clean| (close.0, close.1.to_owned(), clean);
        assert_eq!(closed(open(&vectors, "client", vec![]), Some(close)), wanted(clean));
        assert_eq!(closed(end(&vectors, "client", vec![]), Some(close)), wanted(false));
    }
    assert_eq!(closed(open(&vectors, "server", vec![]), None), (1006, String::new(), false));
    let mut early = end(&vectors, "server", vec![]);
    early.close(Some(1000), "done");
    assert_eq!(outgoing(&mut early), [Outgoing::Close((None, "".into()))]);
    let Some(Event::Closed(ending)) = events(&mut early).pop() else { panic!("not closed") };
    assert_eq!((ending.code, ending.clean), (1006, false));
}
