//! The cases of the extensions, which run where the command line has an option of theirs.
use crate::arguments::{to_hex, Wanted};
use crate::cases::{text, Cases, Peer};
use crate::runner::{check, Outcome};
use pq_websocket::crypto::sha256;
use pq_websocket::identity::Identity;
use pq_websocket::protocol::Event;
use std::time::{Duration, Instant};

pub async fn run(cases: &Cases<'_>, wanted: &Wanted) {
    let named = |name: &str| wanted.only.iter().any(|only| only == name);
    let all = |names: &[&str], of: bool| if wanted.only.is_empty() { of } else { names.iter().any(|name| named(name)) };
    if all(&["kem"], wanted.kem) {
        cases.case("kem", Peer::kem).await;
    }
    if all(&EXCHANGES, wanted.exchange) {
        cases.case(EXCHANGES[0], Peer::exchange_own).await;
        cases.case(EXCHANGES[1], Peer::exchange_peer).await;
        cases.case(EXCHANGES[2], Peer::exchange_both).await;
        let after = cases.options.common.exchange.map_or(Duration::MAX, |policy| policy.after);
        cases.case(EXCHANGES[3], |peer| peer.exchange_timer(after)).await;
        cases.case(EXCHANGES[4], Peer::exchange_close).await;
        cases.case(EXCHANGES[5], Peer::exchange_close_peer).await;
        cases.case(EXCHANGES[6], Peer::exchange_exporter).await;
    }
    if all(&["peer-key"], wanted.identity) {
        let key = cases.options.identity.as_ref().map(Identity::public_key).unwrap_or_default();
        cases.case("peer-key", |peer| peer.peer_key(key)).await;
    }
    if all(&["ping-own", "ping-peer"], wanted.heartbeat) {
        cases.case("ping-own", Peer::ping_own).await;
        cases.case("ping-peer", Peer::ping_peer).await;
    }
}

const EXCHANGES: [&str; 7] = [
    "exchange-own",
    "exchange-peer",
    "exchange-both",
    "exchange-timer",
    "exchange-close",
    "exchange-close-peer",
    "exchange-exporter",
];

impl Peer {
    async fn answers(&mut self, command: &str, wanted: &str) -> Outcome {
        let answer = self.ask(command).await?;
        check(answer == wanted, &format!("{command} is answered with {answer:.40}, wanted {wanted}"))
    }

    async fn kem(mut self) -> Outcome {
        let kem = self.socket.protocol.kem().ok_or("no KEM")?;
        self.answers("!kem", kem.name()).await
    }

    async fn peer_key(mut self, key: Vec<u8>) -> Outcome {
        self.answers("!peer-key", &to_hex(&sha256(&[&key]))).await
    }

    async fn ping_own(mut self) -> Outcome {
        for size in 0..=125 {
            let data = vec![0; size];
            self.socket.protocol.ping(&data, Instant::now()).map_err(|error| error.to_string())?;
            match self.next().await {
                Some(Event::Ponged(content)) => check(content == data, "a pong of another content")?,
                event => return Err(format!("no pong: {event:?}")),
            }
        }
        self.echo(&text("after the pings")).await
    }

    async fn ping_peer(mut self) -> Outcome {
        for data in ["", " x", &format!(" {}", "\0".repeat(100))] {
            self.answers(&format!("!ping{data}"), "ponged").await?;
        }
        self.echo(&text("after the pings")).await
    }

    /// One that begins from now on, whatever messages come meanwhile.
    async fn exchange(&mut self) -> Outcome {
        let target = self.socket.protocol.exchange(Instant::now()).map_err(|error| error.to_string())?;
        loop {
            match self.socket.next().await {
                Some(Event::Exchanged(generation)) if generation >= target => return Ok(()),
                Some(Event::Exchanged(_)) => {}
                Some(Event::Message(message)) => self.early.push_back(message),
                event => return Err(format!("no exchange: {event:?}")),
            }
        }
    }

    /// Asks until an exchange of either end's clock does not come between question and answer.
    async fn same_generation(&mut self) -> Outcome {
        let mut outcome = Ok(());
        for _ in 0..20 {
            let theirs = self.ask("!generation").await?;
            let ours = self.socket.protocol.generation();
            outcome = check(theirs == ours.to_string(), &format!("generations {ours} and {theirs}"));
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn exchange_own(mut self) -> Outcome {
        for _ in 0..3 {
            self.exchange().await?;
            self.echo(&text("in the new generation")).await?;
            let message = text("after an update in it");
            self.socket.protocol.update_and_send(&message, Instant::now()).map_err(|error| error.to_string())?;
            check(self.receive().await? == message, "another message came back")?;
            self.answers("!update", "updated").await?;
        }
        self.same_generation().await
    }

    async fn exchange_peer(mut self) -> Outcome {
        for _ in 0..3 {
            let before = self.socket.protocol.generation();
            self.answers("!exchange", "exchanged").await?;
            check(self.socket.protocol.generation() > before, "the generation has not changed")?;
        }
        self.same_generation().await
    }

    /// Messages, updates and exchanges of both ends are under way at once.
    async fn exchange_both(mut self) -> Outcome {
        // Within what an end allows at once: no case waits ten seconds for the next.
        const ROUNDS: u64 = 4;
        self.send(&text("!exchange"))?;
        let mut is_told = false;
        let mut n = 0;
        while !is_told || self.socket.protocol.generation() < ROUNDS {
            self.socket.protocol.exchange(Instant::now()).map_err(|error| error.to_string())?;
            let message = text(&format!("message {n}"));
            self.socket.protocol.update_and_send(&message, Instant::now()).map_err(|error| error.to_string())?;
            n += 1;
            // The word that an exchange is complete comes when it comes, the echoes in their order.
            let mut got = self.receive().await?;
            if got == text("exchanged") {
                is_told = true;
                got = self.receive().await?;
            }
            check(got == message, &format!("{message:?} came back as {got:?}"))?;
        }
        self.same_generation().await
    }

    /// It only talks: the clock of either end does the rest.
    async fn exchange_timer(mut self, after: Duration) -> Outcome {
        let mut n = 0;
        while after <= Duration::from_secs(1) && self.socket.protocol.generation() < 3 {
            self.echo(&text(&n.to_string())).await?;
            n += 1;
        }
        self.same_generation().await
    }

    /// A close right behind the offer.
    async fn exchange_close(mut self) -> Outcome {
        self.socket.protocol.exchange(Instant::now()).map_err(|error| error.to_string())?;
        self.socket.protocol.close(Some(4321), "bye", Instant::now()).map_err(|error| error.to_string())?;
        self.has_ended(4321, "bye").await
    }

    /// The server closes in an exchange that it has asked for, or right behind it.
    async fn exchange_close_peer(mut self) -> Outcome {
        self.send(&text("!exchange"))?;
        self.send(&text("!close 4000 why"))?;
        loop {
            match self.socket.next().await {
                Some(Event::Message(message)) if message == text("exchanged") => {}
                Some(Event::Exchanged(_)) => {}
                Some(Event::Closed(ending)) => return self.is_as_wanted(ending, 4000, "why"),
                event => return Err(format!("not closed: {event:?}")),
            }
        }
    }

    /// Exports and the transcript hash stay the handshake's.
    async fn exchange_exporter(mut self) -> Outcome {
        let export = |peer: &Self| peer.socket.protocol.export_key("interop", 32).map_err(|error| error.to_string());
        let (before, th) = (export(&self)?, self.socket.protocol.transcript_hash());
        self.exchange().await?;
        check(export(&self)? == before, "the exported key has changed")?;
        check(self.socket.protocol.transcript_hash() == th, "the transcript hash has changed")?;
        self.answers("!export interop 32", &to_hex(&before)).await?;
        self.answers("!hash", &to_hex(&th.ok_or("no transcript hash")?)).await
    }
}
