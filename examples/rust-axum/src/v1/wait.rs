//! Waiting for the peer, where the time begins when what it has to answer has been handed to the transport; or for this end's own
//! work, where it begins at once.
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct Wait {
    is_on: bool,
    deadline: Option<Instant>,
}

impl Wait {
    pub fn begin(&mut self) {
        *self = Self { is_on: true, deadline: None };
    }

    pub fn begin_work(&mut self, now: Instant, timeout: Duration) {
        *self = Self { is_on: true, deadline: Some(now + timeout) };
    }

    pub fn end(&mut self) {
        *self = Self::default();
    }

    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// `None` until what was sent has drained.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub fn drained(&mut self, now: Instant, timeout: Duration) {
        if self.is_on {
            self.deadline.get_or_insert(now + timeout);
        }
    }

    /// Gives the whole time again to a wait that has begun to count.
    pub fn restart(&mut self, now: Instant, timeout: Duration) {
        if self.deadline.is_some() {
            self.deadline = Some(now + timeout);
        }
    }
}
