//! Drives a profile's state machine over a WebSocket of axum or of tungstenite.
use crate::fast_open::is_reserved;
use crate::protocol::{Event, Incoming, Outgoing, Protocol};
use crate::work::Done;
use axum::extract::ws;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::time::{Duration, Instant};
use tokio::task::{spawn_blocking, JoinHandle};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, error::CapacityError, protocol::frame};

/// How long the transport's closing handshake may take once its close is sent.
const LINGER: Duration = Duration::from_secs(2);

/// A write that takes longer has waited for the peer, and an application that was away longer has kept this end from reading.
const WAITED: Duration = Duration::from_millis(10);

/// By how much the transport's own limit exceeds the protocol's. A message that the transport refuses stays unread, and then
/// the close code may be lost in a TCP reset; one that is only somewhat too long is read, and refused with its code.
pub const HEADROOM: usize = 1 << 20;

/// What a close without a code counts as (RFC 6455, 7.1.5).
const NO_CODE: u16 = 1005;

/// What the transport brings.
#[derive(Debug)]
pub enum Arrival {
    Message(Incoming),
    Close((u16, String)),
    /// A ping or a pong, which the library answers by itself.
    Nothing,
}

/// The two libraries' message types, which are alike.
pub trait Wire: Sized {
    fn from_outgoing(outgoing: Outgoing) -> Self;
    fn into_arrival(self) -> Arrival;
}

impl Wire for ws::Message {
    fn from_outgoing(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Text(text) => Self::Text(text.into()),
            Outgoing::Binary(bytes) => Self::Binary(bytes.into()),
            Outgoing::Close((code, reason)) => {
                Self::Close(code.map(|code| ws::CloseFrame { code, reason: reason.as_ref().into() }))
            }
            Outgoing::Terminate => unreachable!("it is no message"),
        }
    }

    fn into_arrival(self) -> Arrival {
        match self {
            Self::Text(text) => Arrival::Message(Incoming::Text(text.to_string())),
            Self::Binary(bytes) => Arrival::Message(Incoming::Binary(bytes.into())),
            Self::Close(close) => {
                Arrival::Close(close.map_or((NO_CODE, String::new()), |close| (close.code, close.reason.to_string())))
            }
            Self::Ping(_) | Self::Pong(_) => Arrival::Nothing,
        }
    }
}

impl Wire for tungstenite::Message {
    fn from_outgoing(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Text(text) => Self::Text(text.into()),
            Outgoing::Binary(bytes) => Self::Binary(bytes.into()),
            Outgoing::Close((code, reason)) => {
                Self::Close(code.map(|code| frame::CloseFrame { code: code.into(), reason: reason.as_ref().into() }))
            }
            Outgoing::Terminate => unreachable!("it is no message"),
        }
    }

    fn into_arrival(self) -> Arrival {
        match self {
            Self::Text(text) => Arrival::Message(Incoming::Text(text.to_string())),
            Self::Binary(bytes) => Arrival::Message(Incoming::Binary(bytes.into())),
            Self::Close(close) => Arrival::Close(
                close.map_or((NO_CODE, String::new()), |close| (close.code.into(), close.reason.to_string())),
            ),
            Self::Ping(_) | Self::Pong(_) | Self::Frame(_) => Arrival::Nothing,
        }
    }
}

/// What the transport itself refused to deliver, where the protocol has a code for that.
pub trait TransportError {
    fn refused(&self) -> Option<Incoming>;
}

impl TransportError for tungstenite::Error {
    fn refused(&self) -> Option<Incoming> {
        match self {
            Self::Capacity(CapacityError::MessageTooLong { .. }) => Some(Incoming::TooLong),
            Self::Utf8(_) => Some(Incoming::NotUtf8),
            _ => None,
        }
    }
}

impl TransportError for axum::Error {
    fn refused(&self) -> Option<Incoming> {
        let source = std::error::Error::source(self);
        source.and_then(|error| error.downcast_ref::<tungstenite::Error>()).and_then(TransportError::refused)
    }
}

/// A transport and the state machine that it feeds.
#[derive(Debug)]
pub struct Socket<T, P> {
    transport: T,
    pub protocol: P,
    /// The transport's close, as its peer said it.
    pub transport_close: Option<(u16, String)>,
    /// As the application sees it: the tokens of fast open are none (section 13).
    pub subprotocol: Option<String>,
    /// The length of the last binary message that arrived.
    pub last_frame: usize,
    transport_over: bool,
    /// The application's functions, on a thread where they hold nobody up.
    work: Option<JoinHandle<Done>>,
    /// When the application had its last event.
    left: Instant,
}

impl<T, P, M, E> Socket<T, P>
where
    T: Stream<Item = Result<M, E>> + Sink<M> + Unpin,
    M: Wire,
    E: TransportError,
    P: Protocol,
{
    pub fn new(transport: T, mut protocol: P, selected: Option<String>) -> Self {
        protocol.work_beside();
        let subprotocol = selected.filter(|selected| !is_reserved(selected));
        Self {
            transport,
            protocol,
            transport_close: None,
            subprotocol,
            last_frame: 0,
            transport_over: false,
            work: None,
            left: Instant::now(),
        }
    }

    /// The next event. Meanwhile it sends what is outgoing; what the application has sent goes out with the next call.
    /// `None` after the last event. Cancelling it may lose what was being written.
    pub async fn next(&mut self) -> Option<Event> {
        if self.left.elapsed() > WAITED {
            self.protocol.excuse(Instant::now());
        }
        let event = self.run().await;
        self.left = Instant::now();
        event
    }

    async fn run(&mut self) -> Option<Event> {
        loop {
            self.write().await;
            if let Some(event) = self.protocol.queues().events.pop_front() {
                if matches!(event, Event::Closed(_)) {
                    // A transport that is dropped before its closing handshake may lose what was written last.
                    let _ = timeout(LINGER, self.linger()).await;
                    self.transport_over = true;
                }
                return Some(event);
            }
            if self.transport_over {
                return None;
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        if let Some(work) = self.protocol.queues().work.take() {
            self.work = Some(spawn_blocking(move || work.run()));
        }
        let deadline = self.protocol.deadline();
        let reads = !self.protocol.is_holding();
        tokio::select! {
            done = ended(&mut self.work) => {
                self.work = None;
                self.protocol.complete(done, Instant::now());
            }
            item = self.transport.next(), if reads => self.on_item(item),
            () = at(deadline) => self.protocol.on_deadline(Instant::now()),
        }
    }

    /// Hands everything to the transport. A peer that does not read can hold this up, but not beyond a deadline.
    async fn write(&mut self) {
        loop {
            let Some(outgoing) = self.protocol.queues().outgoing.pop_front() else {
                let queued = self.protocol.queues().events.len();
                self.protocol.drained(Instant::now());
                let queues = self.protocol.queues();
                if queues.outgoing.is_empty() && queues.events.len() == queued {
                    return;
                }
                continue;
            };
            let sent = match outgoing {
                Outgoing::Terminate => false,
                outgoing => self.hand_over(M::from_outgoing(outgoing)).await,
            };
            if !sent {
                // What was not sent never will be: the transport is closed or about to be dropped.
                self.protocol.queues().outgoing.clear();
                self.on_end();
            }
        }
    }

    /// Writes one message; `false` when the transport is broken, or the connection has ended while it was held up. A timer may
    /// fire meanwhile without ending anything: what it sends comes next.
    async fn hand_over(&mut self, message: M) -> bool {
        let began = Instant::now();
        let mut sending = std::pin::pin!(self.transport.send(message));
        let sent = loop {
            let deadline = self.protocol.deadline();
            tokio::select! {
                sent = &mut sending => break sent.is_ok(),
                () = at(deadline) => {
                    self.protocol.on_deadline(Instant::now());
                    if matches!(self.protocol.queues().events.back(), Some(Event::Closed(_))) {
                        break false;
                    }
                }
            }
        };
        if began.elapsed() > WAITED {
            self.protocol.excuse(Instant::now()); // the transport was full, and no longer is
        }
        sent
    }

    fn on_item(&mut self, item: Option<Result<M, E>>) {
        match item.map(|item| item.map(M::into_arrival)) {
            Some(Ok(Arrival::Message(message))) => {
                if let Incoming::Binary(bytes) = &message {
                    self.last_frame = bytes.len();
                }
                self.protocol.receive(message, Instant::now());
            }
            Some(Ok(Arrival::Close(close))) => {
                self.transport_close = Some(close.clone());
                self.protocol.transport_closed(Some(close));
            }
            Some(Ok(Arrival::Nothing)) => {}
            Some(Err(error)) => match error.refused() {
                Some(refused) => self.protocol.receive(refused, Instant::now()),
                None => self.on_end(),
            },
            None => self.on_end(),
        }
    }

    fn on_end(&mut self) {
        self.transport_over = true;
        self.protocol.transport_closed(None);
    }

    /// Reads until the transport's close has been answered.
    async fn linger(&mut self) {
        while !self.transport_over {
            let item = self.transport.next().await;
            // After a message too long the stream is out of step, and nothing of it is wanted anyway.
            if matches!(item, Some(Err(_))) {
                self.transport_over = true;
            }
            self.on_item(item);
        }
    }

    /// Closes as too many others are waiting (section 4.3).
    pub async fn evict(&mut self) -> Option<Event> {
        self.protocol.evict();
        self.next().await
    }
}

/// A function that panics has proved nothing.
async fn ended(work: &mut Option<JoinHandle<Done>>) -> Done {
    match work {
        Some(work) => work.await.unwrap_or_else(|_| Done::refused()),
        None => std::future::pending().await,
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
