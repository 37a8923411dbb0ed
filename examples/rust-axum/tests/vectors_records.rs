//! v1.json: what happens once both ends are open.
use crate::common::*;
use pq_websocket::content;
use pq_websocket::failure::{Ending, Misuse};
use pq_websocket::protocol::{Event, Incoming, Message, Outgoing, Protocol};
use pq_websocket::record::{longest_frame, Kind, Padding, Receiver, Sender, UpdatePolicy, EPOCH_RECORDS};
use pq_websocket::schedule::Direction;
use serde_json::Value;
use std::time::Instant;

fn messages(events: Vec<Event>) -> Vec<Message> {
    let message = |event| match event {
        Event::Message(message) => message,
        event => panic!("no message: {event:?}"),
    };
    events.into_iter().map(message).collect()
}

/// Seals every record of a side with its nonce, in order, then opens it: bytes and contents are the vectors'.
fn seal_and_open(vectors: &Value, direction: Direction, records: &Value) {
    let now = Instant::now();
    let th = array(&vectors["session"]["th"]);
    let ss = secret(&vectors["session"]["ss"]);
    let mut sender = Sender::new(th, &ss, direction, UpdatePolicy::default(), Padding::Off, now);
    let longest = longest_frame(number(&vectors["inputs"]["maxPayload"]) as usize);
    let mut receiver = Receiver::new(th, &ss, direction, longest, EPOCH_RECORDS);
    for record in cases(records) {
        let name = &record["name"];
        let (kind, content) =
            (Kind::from_byte(number(&record["kind"]) as u8).expect("a kind"), hex(&record["content"]));
        // Any padding there is is that of a block as long as inner.
        sender.padding = match number(&record["padding"]) {
            0 => Padding::Off,
            _ => Padding::block(hex(&record["inner"]).len()).expect("a short record"),
        };
        let random = &mut Script::new([hex(&record["nonce"])]);
        let frames = match kind {
            Kind::KeyUpdate => sender.update(now, random).into_iter().collect(),
            _ => sender.seal(kind, &content, now, random),
        };
        assert_eq!(frames, [hex(&record["frame"])], "{name}");
        assert_eq!(receiver.open(hex(&record["frame"])), Ok((kind, content)), "{name}");
    }
}

#[test]
fn records_are_sealed_and_opened() {
    let vectors = load("v1.json");
    seal_and_open(&vectors, Direction::Client, &vectors["clientRecords"]);
    seal_and_open(&vectors, Direction::Server, &vectors["serverRecords"]);
}

/// The whole conversation through the two state machines.
#[test]
fn conversation() {
    let vectors = load("v1.json");
    let now = Instant::now();
    let mut server = open(&vectors, "server", now);
    let mut client = open(&vectors, "client", now);
    for record in &cases(&vectors["clientRecords"])[1..] {
        server.receive(Incoming::Binary(hex(&record["frame"])), now);
        assert_eq!(messages(events(&mut server)), delivered(&record["delivers"]), "{}", record["name"]);
    }
    let (last, before) = cases(&vectors["serverRecords"])[1..].split_last().expect("more than Finished");
    for record in before {
        client.receive(Incoming::Binary(hex(&record["frame"])), now);
        assert_eq!(messages(events(&mut client)), delivered(&record["delivers"]), "{}", record["name"]);
    }
    client.close(Some(4001), "done", now).expect("the client is open");
    client.receive(Incoming::Binary(hex(&last["frame"])), now);
    for end in [&mut client, &mut server] {
        end.drained(now);
        assert_eq!(events(end), [closed(4001, "done", false)]);
        assert_eq!(outgoing(end).pop(), Some(Outgoing::Close((Some(1000), "".into()))));
    }
}

fn closed(code: u16, reason: &str, crossed: bool) -> Event {
    Event::Closed(Ending { clean: true, crossed, reason: reason.to_owned(), ..Ending::unclean(code) })
}

#[test]
fn accepted_frames() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["acceptedFrames"]) {
        let mut end = open(&vectors, text(&case["to"]), now);
        cases_or_none(&case["before"]).iter().for_each(|before| step(&mut end, before, now));
        events(&mut end);
        end.receive(incoming(&case["message"]), now);
        assert_eq!(messages(events(&mut end)), delivered(&case["delivers"]), "{}", case["name"]);
        assert_eq!(outgoing(&mut end), [], "{}", case["name"]);
    }
}

#[test]
fn refused_frames() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["refusedFrames"]) {
        let mut end = open(&vectors, text(&case["to"]), now);
        cases_or_none(&case["before"]).iter().for_each(|before| step(&mut end, before, now));
        events(&mut end);
        end.receive(incoming(&case["message"]), now);
        assert_eq!(failure_code(&mut end).map(u64::from), case["code"].as_u64(), "{}", case["name"]);
        assert_eq!(end.send(&Message::Text(String::new()), now), Err(Misuse::NotOpen), "{}", case["name"]);
    }
}

/// A list of steps, which may be empty.
fn cases_or_none(list: &Value) -> &[Value] {
    list.as_array().expect("a list")
}

#[test]
fn endings() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["endings"]) {
        let name = &case["name"];
        let (code, reason) = (number(&case["code"]) as u16, text(&case["reason"]));
        let by = text(&case["by"]);
        let other = if by == "client" { "server" } else { "client" };
        let frame = |record: &str| Incoming::Binary(hex(&case[record]["frame"]));

        let mut closing = open(&vectors, by, now);
        closing.close((code != 1005).then_some(code), reason, now).expect("the close is allowed");
        assert!(matches!(outgoing(&mut closing).as_slice(), [Outgoing::Binary(_)]), "{name}");
        closing.receive(frame("answer"), now);

        let mut answering = open(&vectors, other, now);
        answering.receive(frame("close"), now);
        let answer = outgoing(&mut answering);
        assert_eq!(opened(&vectors, other, &answer), (Kind::CloseAnswer, hex(&case["answer"]["content"])), "{name}");

        for end in [&mut closing, &mut answering] {
            assert_eq!(events(end), [], "{name}: seen before its last record was handed over");
            end.drained(now);
            assert_eq!(outgoing(end), [Outgoing::Close((Some(1000), "".into()))], "{name}");
            assert_eq!(events(end), [closed(code, reason, false)], "{name}");
        }
    }
}

/// Opens the one record that an end has sent after its Finished.
fn opened(vectors: &Value, by: &str, sent: &[Outgoing]) -> (Kind, Vec<u8>) {
    let [Outgoing::Binary(frame)] = sent else { panic!("one record is expected, not {sent:?}") };
    let (direction, finished) = match by {
        "client" => (Direction::Client, "clientFinished"),
        _ => (Direction::Server, "serverFinished"),
    };
    let session = &vectors["session"];
    let mut receiver = Receiver::new(array(&session["th"]), &secret(&session["ss"]), direction, 1 << 20, EPOCH_RECORDS);
    receiver.open(hex(&session[finished]["frame"])).expect("Finished opens");
    receiver.open(frame.clone()).expect("the record opens")
}

#[test]
fn crossings() {
    let vectors = load("v1.json");
    let now = Instant::now();
    for case in cases(&vectors["crossings"]) {
        for (to, by, sees) in [("client", "server", "clientSees"), ("server", "client", "serverSees")] {
            let own = hex(&case[to]["content"]);
            let (code, reason) = content::parse_close(&own).expect("the close is good");
            let mut end = open(&vectors, to, now);
            end.close(Some(code), &reason, now).expect("the close is allowed");
            assert_eq!(opened(&vectors, to, &outgoing(&mut end)), (Kind::Close, own));
            end.receive(Incoming::Binary(hex(&case[by]["frame"])), now);
            assert_eq!(outgoing(&mut end), [], "nobody answers");
            end.drained(now);
            assert_eq!(outgoing(&mut end), [Outgoing::Close((Some(1000), "".into()))]);
            let (code, reason) = (number(&case[sees]["code"]) as u16, text(&case[sees]["reason"]));
            assert_eq!(events(&mut end), [closed(code, reason, true)]);
        }
    }
}

#[test]
fn close_codes() {
    let vectors = load("v1.json");
    for code in cases(&vectors["acceptedCloseCodes"]) {
        let code = number(code) as u16;
        let bytes = content::close(Some(code), "why").expect("the code is allowed");
        assert_eq!(content::parse_close(&bytes), Ok((code, "why".to_owned())));
    }
    for code in cases(&vectors["refusedCloseCodes"]) {
        assert_eq!(content::close(Some(number(code) as u16), ""), Err(Misuse::CloseCode), "{code}");
    }
}

#[test]
fn padding() {
    let vectors = load("v1.json");
    let check = |padding: Padding, pairs: &Value| {
        for pair in cases(pairs) {
            assert_eq!(padding.pad(number(&pair[0]) as usize) as u64, number(&pair[1]), "{padding:?} of {}", pair[0]);
        }
    };
    for case in cases(&vectors["padding"]["blocks"]) {
        check(Padding::block(number(&case["block"]) as usize).expect("an allowed block"), &case["lengths"]);
    }
    check(Padding::Padme, &vectors["padding"]["padme"]);
    for size in [0, 65_537] {
        assert_eq!(Padding::block(size), Err(Misuse::PaddingBlock));
    }
}
