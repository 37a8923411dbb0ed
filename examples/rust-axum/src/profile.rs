//! A server that accepts one profile or both, and learns from the first message which it is.
use crate::crypto::{Random, System};
use crate::hello::is_yellowpages;
use crate::protocol::{Incoming, Protocol, Queues};
use crate::work::Done;
use crate::{v1, yellowpages};
use std::sync::Arc;
use std::time::Instant;

#[derive(Clone, Debug)]
pub enum Profiles {
    V1(Arc<v1::ServerOptions>),
    Yellowpages(Arc<yellowpages::Options>),
    Both(Arc<v1::ServerOptions>, Arc<yellowpages::Options>),
}

/// One connection of such a server. With both profiles, both machines wait for the first message, which drops one of them;
/// until then the connection is v1's, the default, with its timeout and its codes.
#[derive(Debug)]
pub struct Server {
    v1: Option<v1::Connection>,
    yellowpages: Option<yellowpages::Connection>,
}

impl Server {
    pub fn new(profiles: &Profiles, now: Instant) -> Self {
        Self::with_random(profiles, now, || Box::new(System))
    }

    /// The same with randomness that a test decides.
    pub fn with_random(profiles: &Profiles, now: Instant, random: impl Fn() -> Box<dyn Random>) -> Self {
        let new_v1 = |options: &Arc<_>| Some(v1::Connection::server(Arc::clone(options), random(), now));
        let new_yellowpages = |options: &Arc<_>| Some(yellowpages::Connection::new(Arc::clone(options), random(), now));
        match profiles {
            Profiles::V1(options) => Self { v1: new_v1(options), yellowpages: None },
            Profiles::Yellowpages(options) => Self { v1: None, yellowpages: new_yellowpages(options) },
            Profiles::Both(v1, yellowpages) => Self { v1: new_v1(v1), yellowpages: new_yellowpages(yellowpages) },
        }
    }

    /// The upgrade request carried a ClientHello, which is v1's. The first message has to repeat it.
    pub fn answer_early(&mut self, client_hello: String, now: Instant) {
        let Some(v1) = &mut self.v1 else { return };
        v1.answer_early(client_hello, now);
        if v1.has_answered_early() {
            self.yellowpages = None;
        }
    }

    /// The connection, if it is v1's.
    pub fn v1(&mut self) -> Option<&mut v1::Connection> {
        self.v1.as_mut()
    }

    /// The connection, if it is yellowpages'.
    pub fn yellowpages(&mut self) -> Option<&mut yellowpages::Connection> {
        if self.v1.is_some() {
            None
        } else {
            self.yellowpages.as_mut()
        }
    }

    fn current(&self) -> &dyn Protocol {
        match (&self.v1, &self.yellowpages) {
            (Some(v1), _) => v1,
            (None, Some(yellowpages)) => yellowpages,
            (None, None) => unreachable!("one profile is always left"),
        }
    }

    fn current_mut(&mut self) -> &mut dyn Protocol {
        match (&mut self.v1, &mut self.yellowpages) {
            (Some(v1), _) => v1,
            (None, Some(yellowpages)) => yellowpages,
            (None, None) => unreachable!("one profile is always left"),
        }
    }
}

impl Protocol for Server {
    fn queues(&mut self) -> &mut Queues {
        self.current_mut().queues()
    }

    fn receive(&mut self, message: Incoming, now: Instant) {
        if self.v1.is_some() && self.yellowpages.is_some() {
            match &message {
                Incoming::Text(text) if is_yellowpages(text) => self.v1 = None,
                _ => self.yellowpages = None,
            }
        }
        self.current_mut().receive(message, now);
    }

    fn transport_closed(&mut self, close: Option<(u16, String)>) {
        self.current_mut().transport_closed(close);
    }

    fn deadline(&self) -> Option<Instant> {
        self.current().deadline()
    }

    fn on_deadline(&mut self, now: Instant) {
        self.current_mut().on_deadline(now);
    }

    fn drained(&mut self, now: Instant) {
        self.current_mut().drained(now);
    }

    fn excuse(&mut self, now: Instant) {
        self.current_mut().excuse(now);
    }

    fn work_beside(&mut self) {
        self.v1.iter_mut().for_each(Protocol::work_beside);
        self.yellowpages.iter_mut().for_each(Protocol::work_beside);
    }

    fn complete(&mut self, done: Done, now: Instant) {
        self.current_mut().complete(done, now);
    }

    fn is_holding(&self) -> bool {
        self.current().is_holding()
    }

    fn pending(&self) -> bool {
        self.current().pending()
    }

    fn evict(&mut self) {
        self.current_mut().evict();
    }

    fn longest_message(&self) -> usize {
        self.current().longest_message()
    }
}
