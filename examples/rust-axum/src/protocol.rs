//! What a transport binding needs to know of a profile's state machine, and nothing more.
use crate::failure::Ending;
use crate::work::{Done, Work};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Instant;

/// A message that the transport delivers.
#[derive(Debug)]
pub enum Incoming {
    Text(String),
    Binary(Vec<u8>),
    /// A message that the transport itself refused for its length, so that its kind is unknown.
    TooLong,
    /// A text message that the transport itself refused, since it is not UTF-8.
    NotUtf8,
}

impl Incoming {
    /// In bytes, as far as they are there.
    pub fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::TooLong | Self::NotUtf8 => 0,
        }
    }
}

/// The transport's close: a code, or none, and a reason.
pub type Close = (Option<u16>, Cow<'static, str>);

/// What the transport is to do, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    Text(String),
    Binary(Vec<u8>),
    Close(Close),
    /// Drop the transport without a word: its peer is dead.
    Terminate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
}

/// What the application learns, in order. `Closed` is the last.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Open,
    Message(Message),
    /// The exchange to this generation is complete at this end.
    Exchanged(u64),
    /// The application's ping with this content is answered, and all before it.
    Ponged(Vec<u8>),
    Closed(Ending),
}

/// Both directions' queues, which every profile has.
#[derive(Debug, Default)]
pub struct Queues {
    pub outgoing: VecDeque<Outgoing>,
    pub events: VecDeque<Event>,
    /// To be run and given to `complete`, after `work_beside` alone.
    pub work: Option<Work>,
}

impl Queues {
    pub fn send(&mut self, outgoing: Outgoing) {
        self.outgoing.push_back(outgoing);
    }

    pub fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Closes the transport, if there is still one to close, and ends the application's view.
    pub fn end(&mut self, ending: Ending, transport: Option<Close>) {
        self.work = None;
        if let Some(close) = transport {
            self.send(Outgoing::Close(close));
        }
        self.tell(Event::Closed(ending));
    }
}

pub trait Protocol {
    fn queues(&mut self) -> &mut Queues;
    /// A message has arrived. Whatever is wrong with it ends up in the queues.
    fn receive(&mut self, message: Incoming, now: Instant);
    /// The transport has closed; with a code and a reason, if its peer said so.
    fn transport_closed(&mut self, close: Option<(u16, String)>);
    /// When `on_deadline` is due.
    fn deadline(&self) -> Option<Instant>;
    fn on_deadline(&mut self, now: Instant);
    /// All that was outgoing has been handed to the transport.
    fn drained(&mut self, now: Instant);
    /// The peer's silence shows nothing: this end did not read, or what it sends was still on its way.
    fn excuse(&mut self, now: Instant);
    /// From now on the application's functions are given out in the queues. Otherwise they run within the call that needs them.
    fn work_beside(&mut self);
    /// Takes what came of the work. Without effect where the connection has ended or closed meanwhile.
    fn complete(&mut self, done: Done, now: Instant);
    /// What arrives waits unopened, so that a binding had better read nothing.
    fn is_holding(&self) -> bool;
    /// Still before the peer's Finished: what a server counts as pending (section 4.3).
    fn pending(&self) -> bool;
    /// Too many are pending and this one is the oldest.
    fn evict(&mut self);
    /// The longest transport message that makes sense.
    fn longest_message(&self) -> usize;
}
