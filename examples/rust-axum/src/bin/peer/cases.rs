//! The v1 client's cases.
use crate::arguments::{to_hex, Wanted};
use crate::cases_extensions;
use crate::runner::{check, Outcome, Runner};
use pq_websocket::client::{connect, ClientSocket};
use pq_websocket::failure::Ending;
use pq_websocket::protocol::{Event, Message};
use pq_websocket::record::Padding;
use pq_websocket::v1::ClientOptions;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

/// Against a server that runs `echo::run`; whether a case ran and all passed.
pub async fn run(url: &str, options: Arc<ClientOptions>, wanted: Wanted) -> bool {
    let cases = Cases { url, options, runner: Runner::new(wanted.only.clone()) };
    cases.case("text", |peer| peer.echoes_text(&["hello"])).await;
    cases.case("text-unicode", |peer| peer.echoes_text(&["grüße, 世界 🎉", "\u{feff}BOM", "end\0", ""])).await;
    cases.case("binary", |peer| peer.echoes(vec![binary(vec![0, 1, 2, 254, 255, 0])])).await;
    cases.case("sizes", Peer::sizes).await;
    cases.case("batch-received", Peer::batch_received).await;
    cases.case("batch-sent", Peer::batch_sent).await;
    cases.case("update-received", Peer::update_received).await;
    cases.case("update-sent", Peer::update_sent).await;
    cases.case("update-both", Peer::update_both).await;
    cases.case("padding", Peer::padding).await;
    cases.case("exporter", Peer::exporter).await;
    cases.case("transcript-hash", Peer::transcript_hash).await;
    cases.case("close-own", |peer| peer.closes(Some(4321), "bye é")).await;
    cases.case("close-peer", |peer| peer.sees_close("!close 4000 why", 4000, "why")).await;
    let close_empty = |peer: Peer| async {
        peer.closes(None, "").await?;
        let second = Peer::connect(url, Arc::clone(&cases.options)).await?;
        second.sees_close("!close 0", 1005, "").await
    };
    cases.case("close-empty", close_empty).await;
    cases_extensions::run(&cases, &wanted).await;
    cases.runner.passed()
}

pub struct Cases<'a> {
    url: &'a str,
    pub options: Arc<ClientOptions>,
    runner: Runner,
}

impl Cases<'_> {
    /// Each has a connection of its own.
    pub async fn case<F: Future<Output = Outcome>>(&self, name: &str, case: impl FnOnce(Peer) -> F) {
        let run = async { case(Peer::connect(self.url, Arc::clone(&self.options)).await?).await };
        self.runner.case(name, run).await;
    }
}

pub struct Peer {
    pub socket: ClientSocket,
    /// Messages that came while something else was awaited.
    pub early: VecDeque<Message>,
}

pub fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

fn binary(bytes: Vec<u8>) -> Message {
    Message::Binary(bytes)
}

/// Says what was wrong without repeating megabytes.
fn compare(got: &Message, wanted: &Message) -> Outcome {
    if got == wanted {
        return Ok(());
    }
    let describe = |message: &Message| match message {
        Message::Text(text) => format!("text of {} bytes, {:.40}", text.len(), text),
        Message::Binary(bytes) => format!("binary of {} bytes", bytes.len()),
    };
    Err(format!("got {}, wanted {}", describe(got), describe(wanted)))
}

impl Peer {
    async fn connect(url: &str, options: Arc<ClientOptions>) -> Result<Self, String> {
        let mut socket = connect(url, options).await.map_err(|error| error.to_string())?;
        match socket.next().await {
            Some(Event::Open) => Ok(Self { socket, early: VecDeque::new() }),
            event => Err(format!("not open: {event:?}")),
        }
    }

    /// Exchanges come by themselves, where the command line says so.
    pub async fn next(&mut self) -> Option<Event> {
        if let Some(message) = self.early.pop_front() {
            return Some(Event::Message(message));
        }
        loop {
            match self.socket.next().await {
                Some(Event::Exchanged(_)) => {}
                event => return event,
            }
        }
    }

    pub fn send(&mut self, message: &Message) -> Outcome {
        self.socket.protocol.send(message, Instant::now()).map_err(|error| error.to_string())
    }

    pub async fn receive(&mut self) -> Result<Message, String> {
        match self.next().await {
            Some(Event::Message(message)) => Ok(message),
            event => Err(format!("no message: {event:?}")),
        }
    }

    pub async fn ending(&mut self) -> Result<Ending, String> {
        match self.next().await {
            Some(Event::Closed(ending)) => Ok(ending),
            event => Err(format!("not closed: {event:?}")),
        }
    }

    pub async fn echo(&mut self, message: &Message) -> Outcome {
        self.send(message)?;
        compare(&self.receive().await?, message)
    }

    pub async fn ask(&mut self, command: &str) -> Result<String, String> {
        self.send(&text(command))?;
        match self.receive().await? {
            Message::Text(answer) => Ok(answer),
            Message::Binary(_) => Err("the answer is binary".into()),
        }
    }

    async fn echoes(mut self, messages: Vec<Message>) -> Outcome {
        for message in &messages {
            self.echo(message).await?;
        }
        Ok(())
    }

    async fn echoes_text(self, texts: &[&str]) -> Outcome {
        self.echoes(texts.iter().copied().map(text).collect()).await
    }

    async fn sizes(mut self) -> Outcome {
        for size in [0, 1, 125, 126, 65_535, 65_536, 1_048_576] {
            self.echo(&text(&"x".repeat(size))).await?;
            self.echo(&binary((0..size).map(|n| (n % 251) as u8).collect())).await?;
        }
        Ok(())
    }

    async fn batch_received(mut self) -> Outcome {
        self.send(&text("!batch 100"))?;
        for n in 0..100 {
            compare(&self.receive().await?, &text(&format!("batch {n}")))?;
        }
        self.send(&text("!mixed"))?;
        for wanted in [text("a"), binary(vec![0, 1, 255]), text(""), binary(Vec::new())] {
            compare(&self.receive().await?, &wanted)?;
        }
        Ok(())
    }

    async fn batch_sent(mut self) -> Outcome {
        let messages = [text("one"), binary(vec![2, 0]), text(""), text("vier ü"), binary(Vec::new())];
        self.socket.protocol.send_batch(&messages, Instant::now()).map_err(|error| error.to_string())?;
        for wanted in &messages {
            compare(&self.receive().await?, wanted)?;
        }
        Ok(())
    }

    async fn update_received(mut self) -> Outcome {
        check(self.ask("!update").await? == "updated", "no 'updated'")?;
        check(self.socket.protocol.received_updates() == 1, "the server did not update its key")?;
        self.echo(&text("after the update")).await
    }

    async fn update_sent(mut self) -> Outcome {
        for n in 0..3 {
            let message = text(&format!("under key {}", n + 1));
            let now = Instant::now();
            self.socket.protocol.update_and_send(&message, now).map_err(|error| error.to_string())?;
            compare(&self.receive().await?, &message)?;
        }
        Ok(())
    }

    async fn update_both(mut self) -> Outcome {
        for round in 1..=50 {
            let message = text(&format!("round {round}"));
            self.send(&text("!update"))?;
            let now = Instant::now();
            self.socket.protocol.update_and_send(&message, now).map_err(|error| error.to_string())?;
            compare(&self.receive().await?, &text("updated"))?;
            compare(&self.receive().await?, &message)?;
            check(self.socket.protocol.received_updates() == round, "the server did not update its key")?;
        }
        Ok(())
    }

    async fn padding(mut self) -> Outcome {
        for (command, padding) in [("!pad 64", Padding::Block(64)), ("!pad padme", Padding::Padme)] {
            self.socket.protocol.set_padding(padding).map_err(|error| error.to_string())?;
            check(self.ask(command).await? == "padded", "no 'padded'")?;
            for size in [0, 1, 62, 63, 64, 200, 1000, 65_536] {
                let message = text(&"p".repeat(size));
                self.echo(&message).await?;
                // 28 bytes of every frame are nonce and tag, one of inner is the kind.
                let padded = self.socket.last_frame - 28 == padding.pad(size + 1);
                check(padded, "the server's record is not padded as asked")?;
            }
        }
        Ok(())
    }

    async fn exporter(mut self) -> Outcome {
        for (label, length) in [("channel-binding", 32), ("my-app/auth/client", 1), ("grüße", 1000)] {
            let theirs = self.ask(&format!("!export {label} {length}")).await?;
            let ours = self.socket.protocol.export_key(label, length).map_err(|error| error.to_string())?;
            check(theirs == to_hex(&ours), "the exported keys differ")?;
        }
        Ok(())
    }

    async fn transcript_hash(mut self) -> Outcome {
        let theirs = self.ask("!hash").await?;
        let ours = self.socket.protocol.transcript_hash().ok_or("no transcript hash")?;
        check(theirs == to_hex(&ours), "the transcript hashes differ")
    }

    async fn closes(mut self, code: Option<u16>, reason: &str) -> Outcome {
        self.echo(&text("before the close")).await?;
        self.socket.protocol.close(code, reason, Instant::now()).map_err(|error| error.to_string())?;
        self.has_ended(code.unwrap_or(1005), reason).await
    }

    async fn sees_close(mut self, command: &str, code: u16, reason: &str) -> Outcome {
        self.send(&text(command))?;
        self.has_ended(code, reason).await
    }

    /// Clean, uncrossed, with this code and reason, and the transport says 1000 without a reason.
    pub async fn has_ended(&mut self, code: u16, reason: &str) -> Outcome {
        let ending = self.ending().await?;
        self.is_as_wanted(ending, code, reason)
    }

    pub fn is_as_wanted(&mut self, ending: Ending, code: u16, reason: &str) -> Outcome {
        let wanted = Ending { clean: true, reason: reason.to_owned(), ..Ending::unclean(code) };
        check(ending == wanted, &format!("ended with {ending:?}"))?;
        let close = self.socket.transport_close.take();
        check(close == Some((1000, String::new())), &format!("the transport closed with {close:?}"))
    }
}
