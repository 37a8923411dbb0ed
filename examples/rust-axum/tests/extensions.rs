//! What the vectors leave out of the extensions: whole conversations, closes at any moment, clocks, and who is taken.
use crate::common::*;
use pq_websocket::attestation::{Attester, Verifier};
use pq_websocket::crypto::{Secret, System};
use pq_websocket::failure::Misuse;
use pq_websocket::identity::{ClientKeys, Identity, Pin};
use pq_websocket::kem::{Kem, Kems};
use pq_websocket::protocol::{Event, Incoming, Message, Outgoing, Protocol};
use pq_websocket::record::longest_frame;
use pq_websocket::v1::{ClientOptions, Connection, ExchangePolicy, HeartbeatPolicy, Options, ServerOptions};
use pq_websocket::work::Done;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn identity(seed: u8) -> Identity {
    Identity::from_seed(Secret::take(&mut [seed; 32]))
}

fn pin(seed: u8) -> Pin {
    Pin::new(&identity(seed).public_key()).expect("the length of a key")
}

/// Two ends that use all of it.
fn everything() -> (ClientOptions, ServerOptions) {
    let client = ClientOptions {
        kems: Kems::new([Kem::MlKem768X25519]).expect("one"),
        pins: vec![pin(1)],
        identity: Some(identity(2)),
        verifier: Some(Verifier(Box::new(|document, due| due.covers(document)))),
        ..ClientOptions::default()
    };
    let server = ServerOptions {
        identity: Some(identity(1)),
        client_keys: Some(ClientKeys::new(vec![pin(3), pin(2)], None).expect("two")),
        attester: Some(Attester(Box::new(|due| Some(due.text.clone().into_bytes())))),
        ..ServerOptions::default()
    };
    (client, server)
}

/// Two ends with what is under way between them, delivered in order when a test says so.
struct Line {
    ends: [Connection; 2],
    under_way: [VecDeque<Outgoing>; 2],
    events: [Vec<Event>; 2],
    now: Instant,
}

impl Line {
    fn new(client: ClientOptions, server: ServerOptions) -> Self {
        let now = Instant::now();
        let client = Connection::client(client.into(), Box::new(System), now);
        let server = Connection::server(server.into(), Box::new(System), now);
        let [client, server] = [client, server].map(|mut end| {
            end.work_beside();
            end
        });
        Self { ends: [client, server], under_way: Default::default(), events: Default::default(), now }
    }

    fn open(client: ClientOptions, server: ServerOptions) -> Self {
        let mut line = Self::new(client, server);
        line.settle();
        assert_eq!(line.take_events(), [vec![Event::Open], vec![Event::Open]]);
        line
    }

    /// Takes what an end has to send.
    fn collect(&mut self, end: usize) {
        loop {
            let sent = outgoing(&mut self.ends[end]);
            let quiet = sent.is_empty();
            self.under_way[end].extend(sent);
            self.ends[end].drained(self.now);
            if quiet && self.ends[end].queues().outgoing.is_empty() {
                break;
            }
        }
        self.events[end].extend(events(&mut self.ends[end]));
    }

    fn arrive(&mut self, end: usize) -> bool {
        self.collect(0);
        self.collect(1);
        let Some(message) = self.under_way[1 - end].pop_front() else { return false };
        match message {
            Outgoing::Text(text) => self.ends[end].receive(Incoming::Text(text), self.now),
            Outgoing::Binary(bytes) => self.ends[end].receive(Incoming::Binary(bytes), self.now),
            Outgoing::Close((code, _)) => self.ends[end].transport_closed(code.map(|code| (code, String::new()))),
            Outgoing::Terminate => self.ends[end].transport_closed(None),
        }
        self.collect(end);
        true
    }

    /// Ends what an end asks of its application, if there is anything.
    fn finish_work(&mut self, end: usize) -> bool {
        let Some(work) = self.ends[end].queues().work.take() else { return false };
        self.ends[end].complete(work.run(), self.now);
        self.collect(end);
        true
    }

    fn settle(&mut self) {
        while self.arrive(0) | self.arrive(1) | self.finish_work(0) | self.finish_work(1) {}
    }

    /// The same, until the server is to check its client.
    fn settle_until_verifying(&mut self) {
        while !self.ends[1].is_holding() {
            let moved = self.arrive(0) | self.arrive(1);
            assert!(moved | self.finish_work(0) | (!self.ends[1].is_holding() && self.finish_work(1)), "all is done");
        }
    }

    fn take_events(&mut self) -> [Vec<Event>; 2] {
        std::mem::take(&mut self.events)
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        for end in &mut self.ends {
            if end.deadline().is_some_and(|due| due <= self.now) {
                end.on_deadline(self.now);
            }
        }
        self.collect(0);
        self.collect(1);
    }
}

fn message(text: impl ToString) -> Message {
    Message::Text(text.to_string())
}

#[test]
fn exchanges_with_everything() {
    let (client, server) = everything();
    let mut line = Line::open(client, server);
    assert_eq!(line.ends[1].peer_key().expect("it is demanded").bytes(), identity(2).public_key());
    assert_eq!(line.ends[0].peer_key().expect("it is pinned").bytes(), identity(1).public_key());
    let facts =
        |line: &Line| [0, 1].map(|end| (line.ends[end].export_key("label", 32).ok(), line.ends[end].transcript_hash()));
    let before = facts(&line);
    for generation in 1..=4 {
        let by = generation as usize % 2;
        assert_eq!(line.ends[by].exchange(line.now), Ok(generation));
        for end in &mut line.ends {
            end.send(&message("while it runs"), line.now).expect("open");
        }
        line.settle();
        for end in &mut line.ends {
            assert_eq!(end.generation(), generation);
            end.update_and_send(&message("after an update in it"), line.now).expect("open");
        }
        line.settle();
        for events in line.take_events() {
            assert_eq!(events.iter().filter(|event| matches!(event, Event::Message(_))).count(), 2);
            assert!(events.contains(&Event::Exchanged(generation)));
        }
    }
    assert_eq!(facts(&line), before, "exports and transcript hash are the handshake's");
}

/// Closes at any moment, among messages, updates, exchanges and pings of both ends, arriving in any interleaving, with proofs and checks
/// that end at any moment too. Both ends are
/// clean, and what was sent before either closed has arrived in order.
#[test]
fn random_conversations() {
    let (mut crossed, mut completed) = (0, 0);
    for seed in 0..120_u64 {
        let (client, server) =
            if seed % 10 == 0 { everything() } else { (ClientOptions::default(), ServerOptions::default()) };
        let mut line = Line::open(client, server);
        let mut draw = Generator(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut sent = [0, 0];
        for _ in 0..10 + draw.below(60) {
            let end = draw.below(2);
            let now = line.now;
            match draw.below(12) {
                0 => drop(line.ends[end].exchange(now).expect("open")),
                1 | 2 => {
                    let update = draw.below(2) == 0;
                    let message = message(sent[end]);
                    sent[end] += 1;
                    let call = if update { Connection::update_and_send } else { Connection::send };
                    call(&mut line.ends[end], &message, now).expect("open");
                }
                3 => line.ends[end].ping(&[draw.below(3) as u8], now).expect("open"),
                4 => drop(line.finish_work(end)),
                _ => drop(line.arrive(end)),
            }
        }
        let first = draw.below(2);
        let now = line.now;
        line.ends[first].close(Some(4000), "bye", now).expect("open");
        for _ in 0..draw.below(4) {
            line.arrive(1 - first);
        }
        if draw.below(2) == 0 && line.ends[1 - first].is_open() {
            line.ends[1 - first].close(Some(4001), "", now).expect("open");
        }
        line.settle();
        completed += line.ends.iter().map(Connection::generation).sum::<u64>();
        for (end, events) in line.take_events().into_iter().enumerate() {
            let messages = events.iter().filter_map(|event| match event {
                Event::Message(Message::Text(text)) => Some(text),
                _ => None,
            });
            let arrived =
                messages.enumerate().inspect(|(n, text)| assert_eq!(**text, n.to_string(), "seed {seed}")).count();
            assert!(arrived <= sent[1 - end]);
            match events.last() {
                Some(Event::Closed(ending)) if ending.clean => crossed += u32::from(ending.crossed),
                event => panic!("seed {seed}: end {end} ends with {event:?}"),
            }
        }
    }
    assert!(crossed > 0 && completed > 0, "{crossed} closes crossed, {completed} exchanges: the test shows nothing");
}

/// Not for secrets: the same conversations each time.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn what_is_off_is_off() {
    for off in [[true, false], [false, true], [true, true]] {
        let options = |off| {
            let mut options = Options::default();
            if off {
                bare(&mut options);
            }
            options
        };
        let [client, server] = off.map(options);
        let client = ClientOptions { common: client, ..ClientOptions::default() };
        let server = ServerOptions { common: server, ..ServerOptions::default() };
        let mut line = Line::open(client, server);
        for end in &mut line.ends {
            assert_eq!(end.exchange(line.now), Err(Misuse::NoExchange));
            assert_eq!(end.ping(b"", line.now), Err(Misuse::NoHeartbeat));
            assert_eq!(end.deadline(), None);
        }
    }
}

/// By each end's own clock, and once where both want one.
#[test]
fn exchanges_come_by_themselves() {
    for minutes in [[10, 60], [60, 10], [10, 10]] {
        let options = minutes.map(|minutes| Options {
            exchange: Some(ExchangePolicy { after: SECOND * 60 * minutes, ..ExchangePolicy::default() }),
            ..Options::default()
        });
        let [client, server] = options;
        let client = ClientOptions { common: client, ..ClientOptions::default() };
        let server = ServerOptions { common: server, ..ServerOptions::default() };
        let mut line = Line::open(client, server);
        for generation in 1..4 {
            line.advance(SECOND * 599);
            line.settle();
            assert_eq!(line.ends[0].generation(), generation - 1);
            line.advance(SECOND);
            line.settle();
            assert_eq!([0, 1].map(|end| line.ends[end].generation()), [generation; 2], "{minutes:?}");
        }
    }
}

/// The time of a step counts from draining, and anew where this end did not read.
#[test]
fn a_step_takes_a_minute_at_most() {
    let mut line = Line::open(ClientOptions::default(), ServerOptions::default());
    let [client, _] = &mut line.ends;
    let now = line.now;
    client.exchange(now).expect("open");
    assert_eq!(client.deadline(), None, "the offer has not drained");
    outgoing(client);
    client.drained(now);
    assert_eq!(client.deadline(), Some(now + SECOND * 60));
    client.excuse(now + SECOND * 59);
    assert_eq!(client.deadline(), Some(now + SECOND * 119));
    client.on_deadline(now + SECOND * 119);
    assert_eq!(failure_code(client), Some(3769));
}

#[test]
fn what_waits_for_a_check_is_bounded() {
    let (mut client, mut server) = everything();
    (client.common.max_payload, server.common.max_payload) = (1_000, 1_000);
    let longest = longest_frame(1_000);
    let mut line = Line::new(client, server);
    line.settle_until_verifying();
    let end = &mut line.ends[1];
    let mut bytes = 0;
    while end.pending() {
        assert!(bytes <= 2 * longest, "{bytes} bytes wait");
        end.receive(Incoming::Binary(vec![0; longest / 16]), line.now);
        bytes += longest / 16;
    }
    assert!(bytes > longest, "a whole record may wait");
    assert_eq!(failure_code(end), Some(3768));
    assert!(end.queues().work.is_none());
    end.complete(Done::refused(), line.now);
    assert_eq!((outgoing(end), events(end)), (vec![], vec![]), "it is over");
}

/// What waits may be a sign of life. The check itself has its minute.
#[test]
fn a_check_is_no_dead_peer() {
    for (seconds, wanted) in [(59, None), (60, Some(3769))] {
        let (client, mut server) = everything();
        server.common.heartbeat = HeartbeatPolicy::Beat { interval: SECOND, timeout: SECOND };
        let mut line = Line::open(client, server);
        line.ends[0].exchange(line.now).expect("open");
        line.settle_until_verifying();
        (0..seconds).for_each(|_| line.advance(SECOND));
        let closed = line.take_events()[1].iter().find_map(|event| match event {
            Event::Closed(ending) => Some(ending.code),
            _ => None,
        });
        assert_eq!(closed, wanted);
        if wanted.is_none() {
            line.settle();
            assert_eq!([0, 1].map(|end| line.ends[end].generation()), [1, 1]);
            line.advance(SECOND); // a ping, and its pong
            line.settle();
            assert!(line.ends.iter().all(Connection::is_open), "the heartbeat goes on");
        }
    }
}

/// *Answering early*: the same hello as a message waits for the early answer, and is compared then.
#[test]
fn an_early_answer_waits_for_its_signer() {
    let (client, server) = everything();
    let mut line = Line::new(client, server);
    let hello = line.ends[0].client_hello().expect("it is to be sent").to_owned();
    line.ends[1].answer_early(hello, line.now);
    assert!(line.ends[1].has_answered_early() && line.ends[1].is_holding());
    assert_eq!(line.ends[1].export_key("label", 32), Err(Misuse::NotOpen));
    while line.arrive(1) {}
    assert_eq!(line.under_way[1], [], "nothing is sent before it is signed");
    line.settle();
    assert_eq!(line.take_events(), [vec![Event::Open], vec![Event::Open]]);

    let (client, server) = everything();
    let mut line = Line::new(client, server);
    let hello = line.ends[0].client_hello().expect("it is to be sent").to_owned();
    line.ends[1].answer_early(hello, line.now);
    line.ends[1].receive(Incoming::Text("{}".into()), line.now);
    assert_eq!(outgoing(&mut line.ends[1]), []);
    line.finish_work(1);
    assert!(matches!(line.under_way[1].pop_back(), Some(Outgoing::Close((Some(3768), _)))), "it is another one");
}

#[test]
fn a_dead_peer_is_found() {
    let beat = HeartbeatPolicy::Beat { interval: SECOND * 30, timeout: SECOND * 10 };
    let alive = || {
        let common = Options { heartbeat: beat, ..Options::default() };
        let mut line = Line::open(ClientOptions { common, ..ClientOptions::default() }, ServerOptions::default());
        for _ in 0..3 {
            line.advance(SECOND * 30);
            assert_eq!(line.under_way[0].len(), 1, "a ping");
            line.settle();
            line.take_events();
        }
        line.advance(SECOND * 30);
        line.under_way[0].clear(); // the peer is gone
        line
    };
    let mut line = alive();
    line.advance(SECOND * 10);
    let Some(Event::Closed(ending)) = line.take_events()[0].pop() else { panic!("it is not found") };
    assert_eq!((ending.code, ending.clean, ending.found_here), (1006, false, true));
    assert_eq!(line.under_way[0].pop_back(), Some(Outgoing::Terminate));
    // A process that slept has not read what came.
    let mut line = alive();
    line.advance(SECOND * 12);
    assert!(line.take_events()[0].is_empty() && line.ends[0].is_open());
    line.advance(SECOND * 10);
    assert!(matches!(line.take_events()[0][..], [Event::Closed(_)]));
}

/// What the transport holds up is answered once, by the last.
#[test]
fn one_pong_waits() {
    let mut line = Line::open(ClientOptions::default(), ServerOptions::default());
    let now = line.now;
    let [client, server] = &mut line.ends;
    server.send(&message("blocked"), now).expect("open");
    for data in [b"one", b"two"] {
        client.ping(data, now).expect("open");
    }
    for ping in outgoing(client) {
        let Outgoing::Binary(frame) = ping else { panic!("a frame") };
        server.receive(Incoming::Binary(frame), now);
    }
    assert_eq!(server.queues().outgoing.len(), 1, "no pong goes before what waits");
    line.settle();
    assert_eq!(line.take_events()[0], [Event::Message(message("blocked")), Event::Ponged(b"two".to_vec())]);
    assert_eq!(line.ends[0].ping(&[0; 126], now), Err(Misuse::LongPing));
}

#[test]
fn clients_that_are_taken() {
    let accepts = |seed: u8| {
        let wanted = identity(seed).public_key();
        ClientKeys::new(Vec::new(), Some(Box::new(move |key: &[u8]| key == wanted))).expect("a function")
    };
    let list = |pins| ClientKeys::new(pins, None).expect("one or more");
    for (client_keys, seed, code) in [
        (list(vec![pin(3), pin(2)]), Some(2), None),
        (accepts(2), Some(2), None),
        (accepts(3), Some(2), Some(3770)),
        (list(vec![pin(3)]), Some(2), Some(3770)),
        (list(vec![pin(3)]), None, Some(3770)),
    ] {
        let client = ClientOptions { identity: seed.map(identity), ..ClientOptions::default() };
        let server = ServerOptions { client_keys: Some(client_keys), ..ServerOptions::default() };
        let mut line = Line::new(client, server);
        line.arrive(1);
        if seed.is_some() {
            let now = line.now;
            assert_eq!(line.ends[1].send(&message("early"), now), Err(Misuse::NotOpen), "before it knows its client");
        }
        line.settle();
        let events = &line.take_events()[1];
        match (code, &events[..]) {
            (None, [Event::Open]) => {}
            (Some(code), [Event::Closed(ending)]) => assert_eq!((ending.code, ending.found_here), (code, true)),
            _ => panic!("{events:?}"),
        }
    }
    assert!(ClientKeys::new(Vec::new(), None).is_err());
}

#[test]
fn each_hello_has_grease_of_its_own() {
    let hello = || {
        let end = Connection::client(Default::default(), Box::new(System), Instant::now());
        end.client_hello().expect("it is made").to_owned()
    };
    let name = |hello: &str| hello.split("\"grease_").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let (first, second) = (name(&hello()), name(&hello()));
    assert!(first.is_some() && first != second);
}
