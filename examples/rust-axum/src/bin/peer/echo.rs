//! The application of the server: an echo, and commands that let a client see every kind of record.
use crate::arguments::{padding, to_hex};
use pq_websocket::crypto::sha256;
use pq_websocket::failure::Misuse;
use pq_websocket::protocol::{Event, Message};
use pq_websocket::server::ServerSocket;
use pq_websocket::{v1, yellowpages};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// What the original server takes: a frame of 16,500 bytes, of which 28 are nonce and tag.
pub const LONGEST_REQUEST: usize = 16_472;
const REQUEST_TIME: Duration = Duration::from_secs(30);

pub async fn run(mut socket: ServerSocket) {
    // Words that are said once an exchange to this generation is complete, or a ping is answered.
    let mut exchanged: VecDeque<u64> = VecDeque::new();
    while let Some(event) = socket.next().await {
        let message = match event {
            Event::Message(message) => message,
            Event::Exchanged(generation) => {
                let done = exchanged.iter().filter(|target| **target <= generation).count();
                exchanged.drain(..done);
                (0..done).for_each(|_| tell(&mut socket, "exchanged"));
                continue;
            }
            Event::Ponged(_) => {
                tell(&mut socket, "ponged");
                continue;
            }
            Event::Open | Event::Closed(_) => continue,
        };
        // A command that can't be carried out leaves the connection as it is and says so inside the seal.
        if let Some(connection) = socket.protocol.v1() {
            match answer(connection, &message) {
                Ok(target) => exchanged.extend(target),
                Err(error) => tell(&mut socket, &format!("error: {error}")),
            }
        } else if let Some(connection) = socket.protocol.yellowpages() {
            answer_yellowpages(connection, &message);
        }
    }
}

/// Fails only where the connection is over, and then there is nobody to tell.
fn tell(socket: &mut ServerSocket, text: &str) {
    if let Some(connection) = socket.protocol.v1() {
        let _ = connection.send(&Message::Text(text.to_owned()), Instant::now());
    }
}

/// The generation whose exchange is to be told of, where the command asked for one.
fn answer(connection: &mut v1::Connection, message: &Message) -> Result<Option<u64>, Misuse> {
    let now = Instant::now();
    if let Message::Text(command) = message {
        match command.as_str() {
            "!exchange" => return connection.exchange(now).map(Some),
            command if command.starts_with("!ping") => {
                let data = command.strip_prefix("!ping ").unwrap_or_default();
                return connection.ping(data.as_bytes(), now).map(|()| None);
            }
            _ => {}
        }
    }
    answer_at_once(connection, message, now).map(|()| None)
}

fn answer_at_once(connection: &mut v1::Connection, message: &Message, now: Instant) -> Result<(), Misuse> {
    let text = |text: &str| Message::Text(text.to_owned());
    let Message::Text(command) = message else { return connection.send(message, now) };
    let Some(command) = command.strip_prefix('!') else { return connection.send(message, now) };
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    match name {
        "kem" => {
            let kem = connection.kem().ok_or(Misuse::NotOpen)?;
            connection.send(&text(kem.name()), now)
        }
        "peer-key" => {
            let fingerprint = connection.peer_key().map(|key| to_hex(&sha256(&[&key.bytes()])));
            connection.send(&Message::Text(fingerprint.unwrap_or("none".into())), now)
        }
        "generation" => {
            let generation = connection.generation().to_string();
            connection.send(&Message::Text(generation), now)
        }
        "export" => {
            let (label, length) = rest.rsplit_once(' ').unwrap_or(("", rest));
            let length = length.parse().map_err(|_| Misuse::ExportLength)?;
            let key = to_hex(&connection.export_key(label, length)?);
            connection.send(&Message::Text(key), now)
        }
        "hash" => {
            let th = connection.transcript_hash().ok_or(Misuse::NotOpen)?;
            connection.send(&Message::Text(to_hex(&th)), now)
        }
        "update" => connection.update_and_send(&text("updated"), now),
        "batch" => {
            // More than 30,000 do not fit a batch, which the next call then says.
            let count: usize = rest.parse().map_err(|_| Misuse::EmptyBatch)?;
            let messages: Vec<Message> = (0..count.min(30_000)).map(|n| text(&format!("batch {n}"))).collect();
            connection.send_batch(&messages, now)
        }
        "mixed" => {
            let messages = [text("a"), Message::Binary(vec![0, 1, 255]), text(""), Message::Binary(Vec::new())];
            connection.send_batch(&messages, now)
        }
        "pad" => {
            connection.set_padding(padding(rest).ok_or(Misuse::PaddingBlock)?)?;
            connection.send(&text("padded"), now)
        }
        "close" => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let code: u16 = code.parse().map_err(|_| Misuse::CloseCode)?;
            connection.close((code != 0).then_some(code), if code == 0 { "" } else { reason }, now)
        }
        _ => connection.send(message, now),
    }
}

fn answer_yellowpages(connection: &mut yellowpages::Connection, message: &Message) {
    let Message::Binary(bytes) = message else { return };
    let command = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix('!')).unwrap_or_default();
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    match (name, rest.parse()) {
        ("flood", Ok(count)) => (0..count).for_each(|_| say(connection, b"")),
        ("close", _) => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            connection.close(code.parse().ok().filter(|code| *code != 0), reason);
        }
        _ => say(connection, bytes),
    }
}

/// Fails only where the connection is over, and then there is nobody to tell.
fn say(connection: &mut yellowpages::Connection, bytes: &[u8]) {
    let _ = connection.send(bytes);
}

/// The original system's server: takes one request and says only how it went, by the transport's close.
pub async fn answer_one_request(mut socket: ServerSocket) {
    let request = timeout(REQUEST_TIME, socket.next()).await;
    if let Some(connection) = socket.protocol.yellowpages() {
        match request {
            Ok(Some(Event::Message(_))) => connection.close(Some(1000), "done"),
            Err(_) => connection.close(Some(4000), "timeout"),
            // The connection has failed, with its own code.
            Ok(_) => return,
        }
    }
    while socket.next().await.is_some() {}
}
