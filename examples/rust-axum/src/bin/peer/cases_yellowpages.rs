//! The client's cases with the profile yellowpages, and those of the use that the original system makes of it.
use crate::echo::LONGEST_REQUEST;
use crate::runner::{check, Outcome, Runner};
use pq_websocket::client::{connect_yellowpages, YellowpagesSocket};
use pq_websocket::failure::Ending;
use pq_websocket::protocol::{Event, Message};
use pq_websocket::yellowpages::Options;
use std::future::Future;
use std::sync::Arc;

/// So many frames a connection has, both directions together.
const MOST_FRAMES: usize = 65_536;

/// Against a server that runs `echo::run`; whether a case ran and all passed.
pub async fn run(url: &str, options: Arc<Options>, only: Vec<String>) -> bool {
    let cases = Cases { url, options, runner: Runner::new(only) };
    let texts = ["grüße, 世界 🎉", "\u{feff}BOM", "end\0", ""];
    cases.case("text", |peer| peer.echoes(vec![b"hello".to_vec()])).await;
    cases.case("text-unicode", |peer| peer.echoes(texts.map(|text| text.as_bytes().to_vec()).to_vec())).await;
    cases.case("binary", |peer| peer.echoes(vec![(0..=255).collect(), vec![1, 0, 0]])).await;
    cases.case("sizes", |peer| peer.echoes([0, 1, 125, 126, 65_535, 65_536, 1_048_576].map(letters).to_vec())).await;
    cases.case("pipelined", Peer::pipelined).await;
    cases.case("used-up", Peer::used_up).await;
    cases.case("close-own", |peer| peer.closes(Some(4321), "bye é")).await;
    cases.case("close-peer", |peer| peer.expects(b"!close 4001 why", 4001, "why")).await;
    let close_empty = |peer: Peer| async {
        peer.closes(None, "").await?;
        cases.connect().await?.expects(b"!close 0", 1005, "").await
    };
    cases.case("close-empty", close_empty).await;
    cases.runner.passed()
}

/// Against a server that runs `echo::answer_one_request`.
pub async fn run_original(url: &str, options: Arc<Options>, only: Vec<String>) -> bool {
    let cases = Cases { url, options, runner: Runner::new(only) };
    cases.case("request", |peer| peer.expects(b"the request", 1000, "done")).await;
    cases.case("request-longest", |peer| peer.expects_only(letters(LONGEST_REQUEST), 1000)).await;
    cases.case("request-too-long", |peer| peer.expects_only(letters(LONGEST_REQUEST + 1), 1008)).await;
    cases.runner.passed()
}

struct Cases<'a> {
    url: &'a str,
    options: Arc<Options>,
    runner: Runner,
}

impl Cases<'_> {
    async fn case<F: Future<Output = Outcome>>(&self, name: &str, case: impl FnOnce(Peer) -> F) {
        self.runner.case(name, async { case(self.connect().await?).await }).await;
    }

    async fn connect(&self) -> Result<Peer, String> {
        let options = Arc::clone(&self.options);
        let mut socket = connect_yellowpages(self.url, options).await.map_err(|error| error.to_string())?;
        match socket.next().await {
            Some(Event::Open) => Ok(Peer { socket }),
            event => Err(format!("not open: {event:?}")),
        }
    }
}

/// No period that a lost or doubled block could hide behind.
fn letters(size: usize) -> Vec<u8> {
    (0..size).map(|n| b'a' + ((n * 7 + n / 251) % 26) as u8).collect()
}

struct Peer {
    socket: YellowpagesSocket,
}

impl Peer {
    fn send(&mut self, bytes: &[u8]) -> Outcome {
        self.socket.protocol.send(bytes).map_err(|error| error.to_string())
    }

    async fn expect(&mut self, wanted: &[u8]) -> Outcome {
        match self.socket.next().await {
            Some(Event::Message(Message::Binary(bytes))) if bytes == wanted => Ok(()),
            Some(Event::Message(_)) => Err(format!("another message than the {} bytes wanted", wanted.len())),
            event => Err(format!("no message: {event:?}")),
        }
    }

    async fn ended(&mut self) -> Result<Ending, String> {
        match self.socket.next().await {
            Some(Event::Closed(ending)) => Ok(ending),
            event => Err(format!("not closed: {event:?}")),
        }
    }

    async fn echoes(mut self, messages: Vec<Vec<u8>>) -> Outcome {
        for message in &messages {
            self.send(message)?;
            self.expect(message).await?;
        }
        Ok(())
    }

    /// All are under way before the first echo is taken.
    async fn pipelined(mut self) -> Outcome {
        let message = |n: usize| format!("message {n}").into_bytes();
        for n in 0..200 {
            self.send(&message(n))?;
        }
        for n in 0..200 {
            self.expect(&message(n)).await?;
        }
        Ok(())
    }

    /// The last frame is the client's; the server may answer no more, and says so.
    async fn used_up(mut self) -> Outcome {
        self.send(format!("!flood {}", MOST_FRAMES - 2).as_bytes())?;
        for _ in 0..MOST_FRAMES - 2 {
            self.expect(b"").await?;
        }
        self.expects_only(b"one too many to be answered".to_vec(), 1008).await
    }

    async fn closes(mut self, code: Option<u16>, reason: &str) -> Outcome {
        self.send(b"before the close")?;
        self.expect(b"before the close").await?;
        self.socket.protocol.close(code, reason);
        let ending = self.ended().await?;
        check(ending.clean && ending.code == code.unwrap_or(1005), &format!("ended with {ending:?}"))
    }

    /// By the transport's close, and nothing else.
    async fn expects(mut self, message: &[u8], code: u16, reason: &str) -> Outcome {
        self.send(message)?;
        let wanted = Ending { clean: true, reason: reason.to_owned(), ..Ending::unclean(code) };
        let ending = self.ended().await?;
        check(ending == wanted, &format!("ended with {ending:?}"))
    }

    /// The same with any reason.
    async fn expects_only(mut self, message: Vec<u8>, code: u16) -> Outcome {
        self.send(&message)?;
        let ending = self.ended().await?;
        check(ending.clean && ending.code == code, &format!("ended with {ending:?}"))
    }
}
