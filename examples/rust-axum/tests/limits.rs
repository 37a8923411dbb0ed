//! What the vectors leave out: limits and times, with lowered limits and a clock that the test sets.
use crate::common::*;
use pq_websocket::attestation::Attester;
use pq_websocket::failure::{Ending, Misuse};
use pq_websocket::profile::{Profiles, Server};
use pq_websocket::protocol::{Event, Incoming, Message, Outgoing, Protocol};
use pq_websocket::record::{Padding, UpdatePolicy};
use pq_websocket::v1::{ClientOptions, Connection, Context, Options, ServerOptions};
use pq_websocket::yellowpages;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn hello() -> Message {
    Message::Text("hello".into())
}

/// Hands each end's messages to the other until nobody has any, and each end's delivery to the test.
fn exchange(client: &mut Connection, server: &mut Connection, now: Instant) -> [Vec<Event>; 2] {
    loop {
        let [from_client, from_server] = [outgoing(client), outgoing(server)];
        if from_client.is_empty() && from_server.is_empty() {
            return [events(client), events(server)];
        }
        from_client.into_iter().for_each(|message| arrive(server, message, now));
        from_server.into_iter().for_each(|message| arrive(client, message, now));
    }
}

fn arrive(end: &mut Connection, message: Outgoing, now: Instant) {
    match message {
        Outgoing::Text(text) => end.receive(Incoming::Text(text), now),
        Outgoing::Binary(bytes) => end.receive(Incoming::Binary(bytes), now),
        Outgoing::Terminate => end.transport_closed(None),
        Outgoing::Close((code, reason)) => end.transport_closed(code.map(|code| (code, reason.into_owned()))),
    }
}

fn pair(client: Options, server: Options, now: Instant) -> (Connection, Connection) {
    let client = ClientOptions { common: client, ..ClientOptions::default() };
    let server = ServerOptions { common: server, ..ServerOptions::default() };
    let client = Connection::client(client.into(), Box::new(Script::new([])), now);
    let server = Connection::server(server.into(), Box::new(Script::new([])), now);
    (client, server)
}

fn open_pair(client: Options, server: Options, now: Instant) -> (Connection, Connection) {
    let (mut client, mut server) = pair(client, server, now);
    assert_eq!(exchange(&mut client, &mut server, now), [[Event::Open], [Event::Open]]);
    (client, server)
}

#[test]
fn sender_updates_after_records() {
    let now = Instant::now();
    let policy = UpdatePolicy { records: 3, ..UpdatePolicy::default() };
    let (mut client, mut server) =
        open_pair(Options { update_policy: policy, ..Options::default() }, Options::default(), now);
    for n in 1..=12_u64 {
        client.send(&hello(), now).expect("open");
        // Finished and two messages fill epoch 0, then three messages each.
        let sent = outgoing(&mut client);
        assert_eq!(sent.len(), if n % 3 == 0 { 2 } else { 1 });
        sent.into_iter().for_each(|message| arrive(&mut server, message, now));
        assert_eq!(events(&mut server), [Event::Message(hello())]);
        assert_eq!(server.received_updates(), n / 3);
    }
}

#[test]
fn sender_updates_before_too_many_bytes() {
    let now = Instant::now();
    // Finished has 3 bytes of inner, the message 6: the second message would be byte 15.
    let policy = UpdatePolicy { bytes: 14, ..UpdatePolicy::default() };
    let (mut client, mut server) =
        open_pair(Options { update_policy: policy, ..Options::default() }, Options::default(), now);
    for epoch in [0, 1, 1, 2] {
        client.send(&hello(), now).expect("open");
        exchange(&mut client, &mut server, now);
        assert_eq!(server.received_updates(), epoch);
    }
}

#[test]
fn sender_updates_an_old_epoch_when_it_sends() {
    let now = Instant::now();
    let (mut client, mut server) = open_pair(Options::default(), Options::default(), now);
    let epoch_after = |seconds: u32, client: &mut Connection, server: &mut Connection| {
        let now = now + SECOND * seconds;
        client.send(&hello(), now).expect("open");
        exchange(client, server, now);
        server.received_updates()
    };
    assert_eq!(epoch_after(3599, &mut client, &mut server), 0);
    assert_eq!(epoch_after(3600, &mut client, &mut server), 1);
    assert_eq!(epoch_after(7199, &mut client, &mut server), 1);
    assert_eq!(epoch_after(7200, &mut client, &mut server), 2);
    // A close brings no update along.
    client.close(None, "", now + SECOND * 20_000).expect("open");
    assert_eq!(outgoing(&mut client).len(), 1);
}

#[test]
fn no_update_alone_or_twice() {
    let now = Instant::now();
    let (mut client, mut server) = open_pair(Options::default(), Options::default(), now);
    for epoch in 1..=3 {
        client.update_and_send(&hello(), now).expect("open");
        assert_eq!(exchange(&mut client, &mut server, now)[1], [Event::Message(hello())]);
        assert_eq!(server.received_updates(), epoch);
    }
}

#[test]
fn receiver_counts_the_records_of_an_epoch() {
    let now = Instant::now();
    let (mut client, mut server) =
        open_pair(Options::default(), Options { epoch_records: 4, ..Options::default() }, now);
    for _ in 0..3 {
        client.send(&hello(), now).expect("open");
        assert_eq!(exchange(&mut client, &mut server, now)[1], [Event::Message(hello())]);
    }
    // Unopened: even a frame that would not open.
    server.receive(Incoming::Binary(vec![0; 40]), now);
    assert_eq!(failure_code(&mut server), Some(3773));
}

#[test]
fn handshake_takes_ten_seconds_at_most() {
    let now = Instant::now();
    let (mut client, mut server) = pair(Options::default(), Options::default(), now);
    outgoing(&mut client);
    for end in [&mut client, &mut server] {
        assert_eq!(end.deadline(), Some(now + SECOND * 10));
        end.on_deadline(now + SECOND * 9);
        assert_eq!(events(end), []);
        end.on_deadline(now + SECOND * 10);
        assert_eq!(failure_code(end), Some(3769));
        assert_eq!(end.deadline(), None);
    }
    let (client, server) = open_pair(Options::default(), Options::default(), now);
    // What is due next is an exchange.
    assert_eq!([client.deadline(), server.deadline()], [Some(now + SECOND * 3600); 2]);
}

#[test]
fn close_answer_takes_thirty_seconds_at_most() {
    let now = Instant::now();
    let (mut client, _server) = open_pair(Options::default(), Options::default(), now);
    client.close(Some(1000), "", now).expect("open");
    assert_eq!(client.deadline(), None, "the time begins when the close has drained");
    outgoing(&mut client);
    client.drained(now + SECOND);
    client.drained(now + SECOND * 2);
    assert_eq!(client.deadline(), Some(now + SECOND * 31));
    client.on_deadline(now + SECOND * 31);
    assert_eq!(outgoing(&mut client), [Outgoing::Close((Some(1000), "".into()))]);
    assert_eq!(events(&mut client), [Event::Closed(Ending::unclean(1006))]);
}

#[test]
fn server_may_send_and_close_before_finished_of_the_client() {
    let now = Instant::now();
    let (mut client, mut server) = pair(Options::default(), Options::default(), now);
    for hello in outgoing(&mut client) {
        arrive(&mut server, hello, now);
    }
    server.send(&hello(), now).expect("its Finished is sent");
    server.close(Some(4000), "early", now).expect("its Finished is sent");
    assert_eq!(server.send(&hello(), now), Err(Misuse::NotOpen));
    let [at_client, at_server] = exchange(&mut client, &mut server, now);
    assert_eq!(at_client, [Event::Open, Event::Message(hello())]);
    assert_eq!(at_server, []);
    for end in [&mut client, &mut server] {
        end.drained(now);
        let ending = Ending { clean: true, reason: "early".into(), ..Ending::unclean(4000) };
        assert_eq!(events(end), [Event::Closed(ending)]);
    }
}

#[test]
fn a_message_between_hello_and_finished_is_a_failed_handshake() {
    for message in [Incoming::Text("{}".into()), Incoming::Binary(vec![0; 64]), Incoming::TooLong] {
        let now = Instant::now();
        let (mut client, mut server) = pair(Options::default(), Options::default(), now);
        outgoing(&mut client).into_iter().for_each(|hello| arrive(&mut server, hello, now));
        outgoing(&mut server);
        server.receive(message, now);
        assert_eq!(failure_code(&mut server), Some(3768));
    }
}

#[test]
fn codes_that_only_the_transport_claims() {
    for (said, seen) in [(1000, 1006), (1001, 1001), (1011, 1006), (1013, 1013), (3771, 3771), (4000, 1006)] {
        let now = Instant::now();
        let (mut client, _server) = open_pair(Options::default(), Options::default(), now);
        client.transport_closed(Some((said, "said without proof".into())));
        assert_eq!(events(&mut client), [Event::Closed(Ending::unclean(seen))]);
        assert!(client.export_key("", 1).is_err());
    }
}

#[test]
fn misuse_is_refused_and_harms_nothing() {
    let now = Instant::now();
    let (mut client, mut server) = open_pair(Options::default(), Options::default(), now);
    assert_eq!(client.send_batch(&[], now), Err(Misuse::EmptyBatch));
    let half = Message::Binary(vec![0; 131_072]);
    assert_eq!(client.send_batch(&[half.clone(), half], now), Err(Misuse::LongBatch));
    assert_eq!(client.close(Some(1005), "", now), Err(Misuse::CloseCode));
    assert_eq!(client.close(Some(1000), &"x".repeat(124), now), Err(Misuse::CloseReason));
    assert_eq!(client.close(None, "why", now), Err(Misuse::CloseReason));
    assert!(Context::new("").is_err());
    client.set_padding(Padding::Block(64)).expect("open");
    client.send_batch(&[hello()], now).expect("open");
    assert_eq!(exchange(&mut client, &mut server, now)[1], [Event::Message(hello())]);
}

fn yellowpages_server() -> yellowpages::Options {
    yellowpages::Options::new(yellowpages::Role::Server(Some(Attester(Box::new(|data| Some(data.bytes.clone()))))))
}

#[test]
fn yellowpages_stops_at_its_frame_limit_and_its_timeout() {
    let now = Instant::now();
    let new =
        |options: yellowpages::Options| yellowpages::Connection::new(options.into(), Box::new(Script::new([])), now);
    let mut server = new(yellowpages::Options { most_frames: 2, ..yellowpages_server() });
    server.receive(Incoming::Text(text(&load("yellowpages.json")["clientHello"]).to_owned()), now);
    server.send(b"one").expect("open");
    server.send(b"two").expect("open");
    outgoing(&mut server);
    events(&mut server);
    server.send(b"three").expect("the end fails instead");
    assert_eq!(failure_code(&mut server), Some(1008));

    let mut server = new(yellowpages_server());
    server.on_deadline(now + SECOND * 30);
    assert_eq!(failure_code(&mut server), Some(4000));
}

#[test]
fn a_server_of_both_profiles_tells_them_apart() {
    let now = Instant::now();
    let profiles = Profiles::Both(Arc::default(), Arc::new(yellowpages_server()));
    let first = |message: &str| {
        let mut server = Server::new(&profiles, now);
        server.receive(Incoming::Text(message.to_owned()), now);
        server
    };
    let mut server = first(text(&load("v1.json")["session"]["clientHello"]));
    assert!(server.v1().is_some() && server.yellowpages().is_none());
    assert_eq!(outgoing(&mut server).len(), 2);
    let mut server = first(text(&load("yellowpages.json")["clientHello"]));
    assert!(server.v1().is_none() && server.yellowpages().is_some());
    assert_eq!(outgoing(&mut server).len(), 1);
    // Any value of the member makes it v1's; an object without it is yellowpages', good or not.
    assert_eq!(failure_code(&mut first(r#"{"pq_websocket":null}"#)), Some(3768));
    assert_eq!(failure_code(&mut first("{}")), Some(1008));
}

/// Sections 4.2 and 15.4: before anything of the answer is sent.
#[test]
fn a_server_that_cannot_attest_says_nothing_else() {
    let now = Instant::now();
    let attester = || Some(Attester(Box::new(|_| None)));
    let options = ServerOptions { attester: attester(), ..ServerOptions::default() };
    let mut v1 = Connection::server(options.into(), Box::new(Script::new([])), now);
    v1.receive(Incoming::Text(text(&load("v1.json")["session"]["clientHello"]).to_owned()), now);
    assert_eq!(v1.queues().outgoing.len(), 1, "the close alone");
    assert_eq!(failure_code(&mut v1), Some(3770));

    let options = yellowpages::Options::new(yellowpages::Role::Server(attester()));
    let mut yellowpages = yellowpages::Connection::new(options.into(), Box::new(Script::new([])), now);
    yellowpages.receive(Incoming::Text(text(&load("yellowpages.json")["clientHello"]).to_owned()), now);
    assert_eq!(yellowpages.queues().outgoing.len(), 1, "the close alone");
    assert_eq!(failure_code(&mut yellowpages), Some(1011));
}
