//! extensions.json's values, and every case of both v1's files.
use crate::common::*;
use pq_websocket::attestation::{user_data, Attester, Verifier};
use pq_websocket::crypto::{sha256, Aead, Random};
use pq_websocket::failure::Misuse;
use pq_websocket::fast_open::Offer;
use pq_websocket::identity::{signed_bytes, ClientKeys, Identity, Moment, Pin};
use pq_websocket::kem::{combine, DecapsulationKey, EncapsulationKey, Kem, Kems};
use pq_websocket::protocol::{Event, Message, Outgoing, Protocol};
use pq_websocket::record::Padding;
use pq_websocket::schedule::{derive, exchange_seed, exchange_transcript_hash, transcript_hash, Direction};
use pq_websocket::v1::{ClientOptions, Connection, Context, ExchangePolicy, HeartbeatPolicy, Options, ServerOptions};
use pq_websocket::work::{Done, Work};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn kem(name: &Value) -> Kem {
    Kem::from_name(text(name)).expect("a KEM of section 21")
}

#[test]
fn kems() {
    let vectors = load("extensions.json");
    for section in cases(&vectors["kems"]) {
        let kem = kem(&section["name"]);
        assert_eq!(
            kem.key(),
            (text(&section["clientHelloMember"]), number(&section["encapsulationKeyBytes"]) as usize)
        );
        assert_eq!(
            kem.ciphertext(),
            (text(&section["serverHelloMember"]), number(&section["ciphertextBytes"]) as usize)
        );
        for case in cases(&section["agreements"]) {
            let key = DecapsulationKey::generate(kem, &mut Script::new([hex(&case["keySeed"])]));
            assert_eq!(key.encapsulation_key(), hex(&case["encapsulationKey"]));
            let public = EncapsulationKey::parse(kem, &key.encapsulation_key()).expect("the key is good");
            let (ciphertext, ss) = public.encapsulate(&mut Script::new([hex(&case["m"])])).expect("the key is good");
            assert_eq!(ciphertext, hex(&case["ciphertext"]));
            assert_eq!(ss.bytes().to_vec(), hex(&case["sharedSecret"]));
            assert_eq!(key.decapsulate(&ciphertext).expect("its length is right").bytes(), ss.bytes());
            assert!(key.decapsulate(&ciphertext[1..]).is_none());
        }
    }
    for parts in [&vectors["hybrid"], &vectors["hybrid"]["withTopBitOfPkX"]] {
        let [ss_m, ss_x] = ["ssM", "ssX"].map(|name| secret(&parts[name]));
        let combined = combine(&ss_m, &ss_x, &array(&parts["ctX"]), &array(&parts["pkX"]));
        assert_eq!(combined.bytes().to_vec(), hex(&parts["sharedSecret"]));
    }
}

#[test]
fn sessions() {
    for session in cases(&load("extensions.json")["sessions"]) {
        let th = transcript_hash(text(&session["clientHello"]), text(&session["serverHello"]), None);
        assert_eq!(th.to_vec(), hex(&session["th"]));
        assert_eq!(signed_bytes(Moment::Handshake, Direction::Client, &th), hex(&session["clientSigned"]));
        has_user_data(Moment::Handshake, &th, &session["userData"]);
        let root = cases(&session["secrets"]).iter().find(|secret| secret["name"] == "root").expect("a root");
        assert_eq!(derive(&th, &secret(&session["ss"]), &["root"]).bytes().to_vec(), hex(&root["okm"]));
        for exchange in cases(&session["exchanges"]) {
            let th = array(&exchange["thBefore"]);
            let th = exchange_transcript_hash(&th, &hex(&exchange["offer"]), &hex(&exchange["answer"]));
            assert_eq!(th.to_vec(), hex(&exchange["th"]));
            let seed = exchange_seed(&th, &secret(&exchange["rootBefore"]), &secret(&exchange["ss"]));
            assert_eq!(seed.bytes().to_vec(), hex(&exchange["seed"]));
            assert_eq!(derive(&th, &seed, &["root"]).bytes().to_vec(), hex(&exchange["root"]));
            for (end, name) in [(Direction::Client, "client"), (Direction::Server, "server")] {
                assert_eq!(signed_bytes(Moment::Exchange, end, &th), hex(&exchange["signed"][name]));
            }
            has_user_data(Moment::Exchange, &th, &exchange["userData"]);
        }
    }
}

fn has_user_data(moment: Moment, th: &[u8; 32], wanted: &Value) {
    let due = user_data(moment, th);
    assert_eq!((&due.bytes, due.text.as_str()), (&hex(&wanted["binary"]), text(&wanted["text"])));
    assert!(due.covers(&due.bytes) && due.covers(due.text.as_bytes()) && !due.covers(th));
}

/// What the end under test draws: nonces by their number, seeds and coins by the generation.
struct Draws {
    tag: [u8; 4],
    seq: u64,
    seeds: Vec<Vec<u8>>,
}

impl Random for Draws {
    fn fill(&mut self, bytes: &mut [u8]) {
        match bytes.len() {
            12 => {
                bytes.copy_from_slice(&nonce(&self.tag, self.seq));
                self.seq += 1;
            }
            8 => bytes.fill(0), // the content of a ping, which is the sender's own affair
            _ => bytes.copy_from_slice(&self.seeds.remove(0)),
        }
    }
}

/// The KEM of a case's connection, by its ServerHello.
fn kem_of(steps: &[&Value]) -> Kem {
    let hellos = steps.iter().flat_map(|step| {
        let received = step.get("receive").into_iter();
        received.chain(step.get("sends").and_then(Value::as_array).into_iter().flatten())
    });
    let texts: Vec<&str> = hellos.filter_map(|message| message.get("text")?.as_str()).collect();
    let answered = |kem: &Kem| texts.iter().any(|text| text.contains(kem.ciphertext().0));
    Kem::ALL.into_iter().find(answered).unwrap_or(Kem::MlKem768)
}

struct Stage<'a> {
    vectors: &'a Value,
    end: Connection,
    now: Instant,
    /// What the case holds back: `verify` or `sign`.
    holds: &'a [Value],
    /// What work of a client is, at which this peer verifies and signs in one go.
    of_client: Option<&'static str>,
    held: Option<(&'static str, Work)>,
    /// What the application sends as soon as it may.
    waiting: Vec<Message>,
    ending: Option<(u64, String, bool)>,
}

impl<'a> Stage<'a> {
    fn new(vectors: &'a Value, case: &'a Value, steps: &[&Value], runs: Runs) -> Self {
        let setup = &case["setup"];
        let mut options =
            Options { max_payload: number(&vectors["inputs"]["maxPayload"]) as usize, ..Options::default() };
        bare(&mut options);
        if let Some(context) = setup.get("context") {
            options.context = Some(Context::new(hex(context)).expect("not empty"));
        }
        if let Some(bytes) = setup.get("maxPayload") {
            options.max_payload = number(bytes) as usize;
        }
        if let Some(block) = setup.get("padding") {
            options.padding =
                block.as_u64().map_or(Padding::Padme, |block| Padding::block(block as usize).expect("in range"));
        }
        if let Some(rekey) = setup.get("rekey") {
            let limit = |name: &str| rekey.get(name).map(number);
            let policy = &mut options.update_policy;
            // The update counts in the vectors' number of records.
            policy.records = limit("records").map_or(policy.records, |records| records - 1);
            policy.bytes = limit("bytes").unwrap_or(policy.bytes);
            policy.age = limit("milliseconds").map_or(policy.age, Duration::from_millis);
        }
        if let Some(seq) = setup.get("seqFrom") {
            options.first_seq = number(seq);
        }
        if let Some(records) = setup.get("epochRecords") {
            options.epoch_records = number(records);
        }
        if let Some(exchange) = setup.get("exchange") {
            let after = exchange.get("milliseconds").map(|after| Duration::from_millis(number(after)));
            let policy = ExchangePolicy::default();
            options.exchange = Some(ExchangePolicy { after: after.unwrap_or(policy.after), ..policy });
        }
        if let Some(heartbeat) = setup.get("heartbeat") {
            let time = |name: &str| Some(Duration::from_millis(heartbeat.get(name)?.as_u64()?));
            options.heartbeat = match (time("interval"), time("timeout")) {
                (Some(interval), Some(timeout)) => HeartbeatPolicy::Beat { interval, timeout },
                _ => HeartbeatPolicy::Answer,
            };
        }
        let kems: Vec<Kem> =
            setup.get("kems").map_or(vec![Kem::MlKem768], |kems| cases(kems).iter().map(kem).collect());
        let kems = Kems::new(kems).expect("one or more");
        let agreement = |kem: Kem, generation: usize| {
            let section = cases(&vectors["kems"]).iter().find(|section| section["name"] == kem.name());
            section.expect("a KEM of the vectors")["agreements"][generation].clone()
        };
        let to_client = case["to"] == "client";
        let input = if to_client { "keySeed" } else { "m" };
        let taken = kem_of(steps);
        let first = if to_client { kems.iter().collect() } else { vec![taken] };
        let handshake = first.into_iter().map(|kem| agreement(kem, 0));
        let seeds = handshake.chain([agreement(taken, 1), agreement(taken, 2)]).map(|made| hex(&made[input]));
        let first_seq = options.first_seq;
        let draws = |tag: &[u8; 4]| Box::new(Draws { tag: *tag, seq: first_seq, seeds: seeds.clone().collect() });
        let now = Instant::now();
        let mut end = if to_client {
            let pins = keys(vectors, setup, "pins", "fingerprints");
            let identity = identity(vectors, setup);
            let verifier = setup.get("verifier").map(|_| verifier(vectors));
            let options = ClientOptions { common: options, kems, pins, identity, verifier, ..ClientOptions::default() };
            Connection::client(Arc::new(options), draws(b"clnt"), now)
        } else {
            let list = keys(vectors, setup, "clientKeys", "clientFingerprints");
            let client_keys = (!list.is_empty()).then(|| ClientKeys::new(list, None).expect("not empty"));
            let attester = setup.get("attester").map(|_| attester(vectors));
            let identity = identity(vectors, setup);
            let options =
                ServerOptions { common: options, kems, identity, send_public_key: true, attester, client_keys };
            Connection::server(Arc::new(options), draws(b"srvr"), now)
        };
        if runs == Runs::Beside {
            end.work_beside();
        }
        let asks = ["pins", "fingerprints", "verifier"].iter().any(|name| setup.get(name).is_some());
        let of_client = to_client.then_some(if asks { "verify" } else { "sign" });
        let holds = setup.get("held").map_or(&[][..], |held| cases(held));
        Self { vectors, end, now, holds, of_client, held: None, waiting: Vec::new(), ending: None }
    }

    /// Runs the work that is given out, unless the case holds it back.
    fn work(&mut self) {
        while let Some(work) = self.end.queues().work.take() {
            // A server that checks its client lets everything wait; one that makes its own proofs does not.
            let kind = self.of_client.unwrap_or(if self.end.is_holding() { "verify" } else { "sign" });
            if self.holds.iter().any(|held| held == kind) {
                self.held = Some((kind, work));
            } else {
                self.end.complete(work.run(), self.now);
            }
        }
    }

    fn input(&mut self, case: &Value, step: &Value) {
        let now = self.now;
        if step.get("start").is_some() {
            let protocols = case["setup"].get("subprotocols").map_or(&[][..], |list| cases(list));
            if let Some(hello) = Offer::read(protocols.iter().map(text)).client_hello {
                self.end.answer_early(hello, now);
            }
        } else if let Some(message) = step.get("receive") {
            self.end.receive(incoming(message), now);
        } else if let Some(message) = step.get("send") {
            self.waiting.extend(delivered(&Value::Array(vec![message.clone()])));
        } else if let Some(close) = step.get("close") {
            let code = close.get("code").map(|code| number(code) as u16);
            let closed = self.end.close(code, close.get("reason").map_or("", text), now);
            // Where it is over already, this peer says so.
            assert!(matches!(closed, Ok(()) | Err(Misuse::NotOpen)), "{closed:?}");
        } else if step.get("exchange").is_some() {
            self.end.exchange(now).expect("the exchange is allowed");
        } else if let Some(data) = step.get("ping") {
            self.end.ping(&hex(data), now).expect("the ping is allowed");
        } else if let Some(export) = step.get("export") {
            if export["label"] == LONE_SURROGATE {
                assert_eq!(step["exports"], "throws"); // no str could be given
                return;
            }
            let key = self.end.export_key(text(&export["label"]), number(&export["length"]) as usize);
            let wanted = (step["exports"] != "throws").then(|| hex(&step["exports"]));
            assert_eq!(key.ok(), wanted);
        } else if let Some(kind) = step.get("finish") {
            let (held, work) = self.held.take().expect("work is held");
            assert_eq!(kind, held);
            self.end.complete(if step["result"] == "ok" { work.run() } else { Done::refused() }, now);
        } else if let Some(milliseconds) = step.get("advance") {
            let target = now + Duration::from_millis(number(milliseconds));
            while let Some(due) = self.end.deadline().filter(|due| *due <= target) {
                self.now = due;
                self.end.on_deadline(due);
                if self.end.queues().outgoing.is_empty() {
                    break;
                }
            }
            self.now = target;
        } else if let Some(code) = step.get("transportClosed") {
            self.end.drained(now);
            self.end.transport_closed(Some((number(code) as u16, String::new())));
        } else {
            panic!("a step of no kind: {step}");
        }
    }

    /// All that comes of a step: what is sent, and the events, closes of the transport among them.
    fn outputs(&mut self) -> (Vec<Outgoing>, Vec<Event>) {
        let mut sent = Vec::new();
        loop {
            self.work();
            while self.waiting.first().is_some_and(|message| self.end.send(message, self.now).is_ok()) {
                self.waiting.remove(0);
            }
            let more = outgoing(&mut self.end);
            if more.is_empty()
                && sent.last().is_some_and(|last| !matches!(last, Outgoing::Text(_) | Outgoing::Binary(_)))
            {
                break;
            }
            let quiet = more.is_empty();
            sent.extend(more);
            self.end.drained(self.now);
            if quiet && self.end.queues().outgoing.is_empty() {
                break;
            }
        }
        (sent, events(&mut self.end))
    }

    fn compare(&mut self, step: &Value, was_pending: bool) {
        self.work();
        let is_pending = self.end.pending();
        let (sent, events) = self.outputs();
        let mut closes = None;
        let mut wanted = step.get("sends").map_or(&[][..], |sends| cases(sends)).iter();
        for outgoing in sent {
            let wanted = match outgoing {
                Outgoing::Close((code, _)) => {
                    closes = Some(code.unwrap_or(0));
                    continue;
                }
                Outgoing::Terminate => {
                    closes = Some(0);
                    continue;
                }
                Outgoing::Text(_) | Outgoing::Binary(_) => wanted.next().expect("nothing more is to be sent"),
            };
            match outgoing {
                Outgoing::Text(hello) => assert_eq!(hello, text(&wanted["text"])),
                Outgoing::Binary(frame) if wanted.get("record").is_some() => {
                    assert_eq!(frame, hex(&wanted["record"]["frame"]), "kind {}", wanted["record"]["kind"]);
                }
                Outgoing::Binary(frame) => {
                    let record = &wanted["anyContent"];
                    let aead = Aead::new(&secret(&record["key"]));
                    let inner = aead.open(frame, &number(&record["seq"]).to_be_bytes()).expect("it opens");
                    let kind = inner.iter().rev().find(|byte| **byte != 0);
                    assert_eq!(kind.map(|kind| u64::from(*kind)), record["kind"].as_u64());
                }
                Outgoing::Close(_) | Outgoing::Terminate => unreachable!("both went on above"),
            }
        }
        assert!(wanted.next().is_none(), "something is missing");
        let (mut messages, mut exchanged, mut answered, mut failed) = (Vec::new(), None, None, None);
        let mut opened = false;
        for event in events {
            match event {
                Event::Message(message) => messages.push(message),
                Event::Exchanged(generation) => exchanged = Some(generation),
                Event::Ponged(content) => answered = Some(content),
                Event::Closed(ending) => {
                    failed = (ending.found_here && ending.code != 1006).then_some(u64::from(ending.code));
                    self.ending = Some((u64::from(ending.code), ending.reason, ending.clean));
                }
                Event::Open => opened = true,
            }
        }
        assert_eq!(messages, step.get("delivers").map_or(Vec::new(), delivered));
        assert_eq!(exchanged, step.get("exchanged").map(number));
        assert_eq!(answered, step.get("answered").map(hex));
        assert_eq!(failed, step.get("fails").map(number));
        // It may have opened and then refused what had waited.
        let is_accepted = opened || was_pending && !is_pending && self.ending.is_none();
        assert_eq!(is_accepted, step.get("accepts").is_some());
        match (step.get("fails"), step.get("closes")) {
            (Some(code), _) => assert_eq!(closes.map(u64::from), code.as_u64()),
            (None, Some(_)) => {
                assert!(closes.is_some_and(|code| !(3768..=3773).contains(&code)), "closes with {closes:?}")
            }
            (None, None) => assert_eq!(closes, None),
        }
    }
}

fn named<'a>(vectors: &'a Value, name: &Value) -> &'a Value {
    cases(&vectors["keys"]).iter().find(|key| key["name"] == *name).expect("a key of the vectors")
}

fn keys(vectors: &Value, setup: &Value, whole: &str, fingerprints: &str) -> Vec<Pin> {
    let list =
        |name: &str| setup.get(name).map_or(&[][..], |names| cases(names)).iter().map(|name| named(vectors, name));
    let whole = list(whole).map(|key| hex(&key["publicKey"]));
    let fingerprints = list(fingerprints).map(|key| sha256(&[&hex(&key["publicKey"])]).to_vec());
    whole.chain(fingerprints).map(|pin| Pin::new(&pin).expect("the length of a key or a fingerprint")).collect()
}

fn identity(vectors: &Value, setup: &Value) -> Option<Identity> {
    setup.get("identity").map(|name| Identity::from_seed(secret(&named(vectors, name)["seed"])))
}

fn prefix(vectors: &Value) -> Vec<u8> {
    text(&vectors["documents"]["prefix"]).as_bytes().to_vec()
}

fn attester(vectors: &Value) -> Attester {
    let prefix = prefix(vectors);
    Attester(Box::new(move |due| Some([&prefix[..], &due.bytes].concat())))
}

fn verifier(vectors: &Value) -> Verifier {
    let prefix = prefix(vectors);
    Verifier(Box::new(move |document, due| document.strip_prefix(&prefix[..]).is_some_and(|data| due.covers(data))))
}

/// `vectors` are extensions.json, whose keys and agreements the cases of both files use.
fn run(vectors: &Value, all: &[Value], case: &Value, runs: Runs) {
    let mut chain = vec![case];
    while let Some(after) = chain[chain.len() - 1].get("after") {
        chain.push(all.iter().find(|case| case["id"] == *after).expect("a case of the vectors"));
    }
    let steps: Vec<&Value> = chain.into_iter().rev().flat_map(|case| cases(&case["steps"])).collect();
    let mut stage = Stage::new(vectors, case, &steps, runs);
    for step in steps {
        let was_pending = stage.end.pending();
        stage.input(case, step);
        stage.compare(step, was_pending);
    }
    if let Some(seen) = case.get("seen") {
        let wanted = (number(&seen["code"]), text(&seen["reason"]).to_owned(), seen["wasClean"] == true);
        assert_eq!(stage.ending, Some(wanted));
    }
    assert!(!stage.vectors.is_null());
}

/// Where the application's functions run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Runs {
    /// Within the call that needs them.
    AtOnce,
    /// Given out, and completed by a call of their own.
    Beside,
}

fn runs_every_case(name: &str, least: usize) {
    let vectors = load("extensions.json");
    let file = load(name);
    assert_eq!(file["format"], 2);
    let all = cases(&file["cases"]);
    let (mut ran, mut failed) = (0, Vec::new());
    for case in all {
        let setup = &case["setup"];
        let asks = ["pins", "fingerprints", "verifier", "identity", "attester", "clientKeys", "clientFingerprints"];
        let ways: &[Runs] = if setup.get("held").is_some() || asks.iter().all(|name| setup.get(name).is_none()) {
            &[Runs::Beside] // held work has no other way, and without functions both are the same
        } else {
            &[Runs::Beside, Runs::AtOnce]
        };
        ran += 1;
        for way in ways {
            // Each failure by its id, not the first alone.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&vectors, all, case, *way)));
            if outcome.is_err() {
                failed.push(format!("{} {way:?}", text(&case["id"])));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {ran} cases failed: {failed:#?}", failed.len());
    assert!(ran == all.len() && ran >= least, "{ran} cases ran");
}

#[test]
fn every_case_of_v1() {
    runs_every_case("v1.json", 700);
}

#[test]
fn every_case_of_the_extensions() {
    runs_every_case("extensions.json", 400);
}
