//! The cases of yellowpages.json, of a client, a server of the profile alone, and a server of both profiles.
use crate::common::*;
use pq_websocket::attestation::{Attester, Verifier};
use pq_websocket::crypto::Random;
use pq_websocket::profile::{Profiles, Server};
use pq_websocket::protocol::{Event, Message, Outgoing, Protocol};
use pq_websocket::v1::{Options as V1Options, ServerOptions};
use pq_websocket::work::{Done, Work};
use pq_websocket::yellowpages::{Connection, Options, Role};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nonces by the number of the sender's frames, and the one seed or the coins that there are.
struct Draws {
    tag: [u8; 4],
    frames: u64,
    seed: Vec<u8>,
}

impl Random for Draws {
    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() == 12 {
            bytes.copy_from_slice(&nonce(&self.tag, self.frames));
            self.frames += 1;
        } else {
            bytes.copy_from_slice(&self.seed);
        }
    }
}

enum End {
    Client(Box<Connection>),
    Server(Box<Server>),
}

impl End {
    fn protocol(&mut self) -> &mut dyn Protocol {
        match self {
            Self::Client(client) => client.as_mut(),
            Self::Server(server) => server.as_mut(),
        }
    }

    fn send(&mut self, bytes: &[u8], now: Instant) -> bool {
        match self {
            Self::Client(client) => client.send(bytes).is_ok(),
            Self::Server(server) => match server.v1() {
                Some(v1) => v1.send(&Message::Text(String::from_utf8(bytes.to_vec()).expect("text")), now).is_ok(),
                None => server.yellowpages().is_some_and(|yellowpages| yellowpages.send(bytes).is_ok()),
            },
        }
    }

    fn close(&mut self, code: Option<u16>, reason: &str, now: Instant) {
        match self {
            Self::Client(client) => client.close(code, reason),
            Self::Server(server) => match server.v1() {
                Some(v1) => v1.close(code, reason, now).expect("the close is allowed"),
                None => server.yellowpages().expect("one of both").close(code, reason),
            },
        }
    }
}

fn new_end(vectors: &Value, extensions: &Value, case: &Value, now: Instant) -> End {
    let setup = &case["setup"];
    let prefix = text(&extensions["documents"]["prefix"]).as_bytes().to_vec();
    let limit = |name: &str| setup.get(name).map(|value| number(value) as usize);
    let to_client = case["to"] == "client";
    let role = if to_client {
        let accept = move |document: &[u8], due: &pq_websocket::attestation::UserData| {
            document.strip_prefix(&prefix[..]).is_some_and(|data| due.covers(data))
        };
        Role::Client(setup.get("verifier").map(|_| Verifier(Box::new(accept))))
    } else {
        let make = move |due: &pq_websocket::attestation::UserData| Some([&prefix[..], &due.bytes].concat());
        Role::Server(setup.get("attester").map(|_| Attester(Box::new(make))))
    };
    let mut options = Options::new(role);
    options.max_payload = limit("maxPayload").unwrap_or(65_536);
    options.most_frames = limit("frames").unwrap_or(options.most_frames);
    let (tag, seed) = if to_client { (b"clnt", "keySeed") } else { (b"srvr", "m") };
    let seed = hex(&vectors["inputs"][seed]);
    let random = || -> Box<dyn Random> { Box::new(Draws { tag: *tag, frames: 0, seed: seed.clone() }) };
    if to_client {
        return End::Client(Box::new(Connection::new(options.into(), random(), now)));
    }
    let profiles = if setup["profile"] == "both" {
        let mut common = V1Options { max_payload: options.max_payload, ..V1Options::default() };
        bare(&mut common);
        Profiles::Both(Arc::new(ServerOptions { common, ..ServerOptions::default() }), options.into())
    } else {
        Profiles::Yellowpages(options.into())
    };
    End::Server(Box::new(Server::with_random(&profiles, now, random)))
}

fn run(vectors: &Value, extensions: &Value, case: &Value, works_beside: bool) {
    let all = cases(&vectors["cases"]);
    let mut chain = vec![case];
    while let Some(after) = chain[chain.len() - 1].get("after") {
        chain.push(all.iter().find(|case| case["id"] == *after).expect("a case of the vectors"));
    }
    let mut now = Instant::now();
    let mut end = new_end(vectors, extensions, case, now);
    if works_beside {
        end.protocol().work_beside();
    }
    let is_held = case["setup"].get("held").is_some();
    let mut held: Option<Work> = None;
    let mut ending = None;
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    for step in chain.into_iter().rev().flat_map(|case| cases(&case["steps"])) {
        let was_pending = end.protocol().pending();
        if let Some(message) = step.get("receive") {
            end.protocol().receive(incoming(message), now);
        } else if let Some(message) = step.get("send") {
            let [message] = &delivered(&Value::Array(vec![message.clone()]))[..] else { panic!("one message") };
            waiting.push(match message {
                Message::Text(text) => text.clone().into_bytes(),
                Message::Binary(bytes) => bytes.clone(),
            });
        } else if let Some(close) = step.get("close") {
            let code = close.get("code").map(|code| number(code) as u16);
            end.close(code, close.get("reason").map_or("", text), now);
        } else if let Some(milliseconds) = step.get("advance") {
            now += Duration::from_millis(number(milliseconds));
            if end.protocol().deadline().is_some_and(|due| due <= now) {
                end.protocol().on_deadline(now);
            }
        } else if let Some(code) = step.get("transportClosed") {
            let reason = step.get("reason").map_or("", text).to_owned();
            end.protocol().transport_closed(Some((number(code) as u16, reason)));
        } else if step.get("finish").is_some() {
            let work = held.take().expect("work is held");
            end.protocol().complete(if step["result"] == "ok" { work.run() } else { Done::refused() }, now);
        } else {
            assert!(step.get("start").is_some(), "a step of no kind: {step}");
        }
        // An end asks its application once, and a case that holds anything holds that.
        if let Some(work) = end.protocol().queues().work.take() {
            if is_held {
                held = Some(work);
            } else {
                end.protocol().complete(work.run(), now);
            }
        }
        // The application sends what it has as soon as it may.
        while !waiting.is_empty() && end.send(&waiting[0], now) {
            waiting.remove(0);
        }
        let mut sent: Vec<Outgoing> = end.protocol().queues().outgoing.drain(..).collect();
        end.protocol().drained(now);
        sent.extend(end.protocol().queues().outgoing.drain(..));
        let events: Vec<Event> = end.protocol().queues().events.drain(..).collect();
        let is_done = was_pending && !end.protocol().pending();
        compare(step, sent, events, is_done, &mut ending);
    }
    if let Some(seen) = case.get("seen") {
        let wanted = (number(&seen["code"]), text(&seen["reason"]).to_owned(), seen["wasClean"] == true);
        assert_eq!(ending, Some(wanted));
    }
}

fn compare(
    step: &Value,
    sent: Vec<Outgoing>,
    events: Vec<Event>,
    is_done: bool,
    ending: &mut Option<(u64, String, bool)>,
) {
    let mut closes = None;
    let mut frames = Vec::new();
    for outgoing in sent {
        match outgoing {
            Outgoing::Close((code, _)) => closes = Some(code),
            Outgoing::Terminate => panic!("no heartbeat here"),
            frame => frames.push(frame),
        }
    }
    let wanted = step.get("sends").map_or(&[][..], |sends| cases(sends));
    assert_eq!(frames.len(), wanted.len(), "{frames:?}");
    for (frame, wanted) in frames.into_iter().zip(wanted) {
        match frame {
            Outgoing::Text(hello) => assert_eq!(hello, text(&wanted["text"])),
            Outgoing::Binary(frame) if wanted.get("record").is_some() => {
                assert_eq!(frame, hex(&wanted["record"]["frame"]))
            }
            Outgoing::Binary(frame) => assert_eq!(frame, hex(&wanted["frame"])),
            Outgoing::Close(_) | Outgoing::Terminate => unreachable!("taken out above"),
        }
    }
    let mut messages = Vec::new();
    let mut failed = None;
    for event in events {
        match event {
            Event::Message(message) => messages.push(message),
            Event::Closed(closed) => {
                failed = closed.found_here.then_some(u64::from(closed.code));
                *ending = Some((u64::from(closed.code), closed.reason, closed.clean));
            }
            _ => {}
        }
    }
    assert_eq!(messages, step.get("delivers").map_or(Vec::new(), delivered));
    assert_eq!(is_done && ending.is_none(), step.get("accepts").is_some());
    assert_eq!(failed, step.get("fails").map(number));
    match (step.get("fails"), step.get("closes")) {
        (Some(code), _) => assert_eq!(closes.flatten().map(u64::from), code.as_u64()),
        (None, Some(code)) if code.is_number() => assert_eq!(closes.flatten().map(u64::from), code.as_u64()),
        (None, Some(_)) => assert!(closes.is_some()),
        (None, None) => assert_eq!(closes, None),
    }
}

#[test]
fn every_case() {
    let (vectors, extensions) = (load("yellowpages.json"), load("extensions.json"));
    let all = cases(&vectors["cases"]);
    let (mut ran, mut failed) = (0, Vec::new());
    for case in all {
        ran += 1;
        let is_held = case["setup"].get("held").is_some();
        for works_beside in if is_held { &[true][..] } else { &[true, false] } {
            let one = || run(&vectors, &extensions, case, *works_beside);
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(one)).is_err() {
                failed.push(format!("{}, beside: {works_beside}", text(&case["id"])));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {ran} cases failed: {failed:#?}", failed.len());
    assert!(ran == all.len() && ran > 150, "only {ran} cases ran");
}
