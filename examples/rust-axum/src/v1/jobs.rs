//! What waits for the application's functions (`crate::work`): *replying*, *answering early*, *verifying*, *signing* and *verifying
//! client* of section 3, *making* and *verifying* of section 22.
use super::exchange::Start;
use super::{Connection, Role, State};
use crate::failure::Failure;
use crate::protocol::{Incoming, Protocol};
use crate::record::{longest_frame, Kind};
use crate::work::{Done, Proofs, Work};
use std::time::Instant;

/// What follows when the functions have answered.
#[derive(Debug)]
pub(super) enum Then {
    /// A server: both its messages.
    Reply { server_hello: String },
    /// The peer is accepted.
    Accept,
    /// A server, in an exchange: the answer, and its own start.
    Answer { answer: Vec<u8>, server: Start },
    /// A client, in an exchange: *end*, and its own start.
    End(Start),
    /// A server, in an exchange: its client is still the same.
    Complete,
}

impl Connection {
    /// Asks the application at once, or gives the work out.
    pub(super) fn begin(
        &mut self,
        is_asked: bool,
        then: Then,
        now: Instant,
        ask: impl FnOnce() -> Result<Proofs, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        if is_asked && self.works_beside {
            self.job = Some(then);
            self.queues.work = Some(Work::new(ask));
            return Ok(());
        }
        let proofs = ask()?;
        self.go_on(then, proofs, now)
    }

    fn go_on(&mut self, then: Then, proofs: Proofs, now: Instant) -> Result<(), Failure> {
        let own = proofs.own.unwrap_or_default();
        match then {
            Then::Reply { server_hello } => self.reply(server_hello, &own, now),
            Then::Accept => {
                self.peer_key = proofs.peer_key;
                if matches!(self.role, Role::Client(_)) {
                    self.seal(Kind::Finished, &own, now);
                }
                self.confirm(now);
            }
            Then::Answer { answer, server } => self.send_answer(&answer, server, &own, now),
            Then::End(start) => self.send_end(start, &own, now),
            Then::Complete => self.complete_exchange(now),
        }
        Ok(())
    }

    pub(super) fn on_done(&mut self, done: Done, now: Instant) {
        let was_holding = self.is_holding();
        let Some(then) = self.job.take() else { return };
        // Of functions that took too long, where no timer has fired meanwhile.
        let deadlines = [self.handshake_deadline, self.exchange_deadline()];
        let is_late = deadlines.into_iter().flatten().any(|deadline| now >= deadline);
        let in_time = |proofs| if is_late { Err(Failure::Timeout) } else { Ok(proofs) };
        if let Err(failure) = done.0.and_then(in_time).and_then(|proofs| self.go_on(then, proofs, now)) {
            self.fail(failure);
        }
        if was_holding {
            self.excuse(now);
            self.release(now);
        }
    }

    /// What follows the peer's Finished waits for its check, except at a client that has accepted its server before. So does what
    /// comes before an early answer.
    pub(super) fn holds(&self) -> bool {
        match self.job {
            Some(Then::Reply { .. }) => matches!(self.state, State::Replying { early: Some(_) }),
            Some(Then::Accept | Then::Complete) => true,
            Some(Then::Answer { .. } | Then::End(_)) | None => false,
        }
    }

    pub(super) fn hold(&mut self, message: Incoming) -> Result<(), Failure> {
        self.held.push(message, longest_frame(self.options().max_payload))
    }

    /// Judges what has waited.
    fn release(&mut self, now: Instant) {
        while !self.is_holding() {
            let Some(message) = self.held.pop() else { break };
            self.receive(message, now);
        }
    }

    /// Who closes sends nothing of an exchange any more (section 22.4). What waited for its check is opened all the same.
    pub(super) fn give_up_exchange(&mut self, now: Instant) {
        if self.job.take().is_none() {
            return;
        }
        self.queues.work = None;
        if let Some(exchange) = self.session.as_mut().and_then(|session| session.exchange.as_mut()) {
            exchange.give_up();
        }
        self.release(now);
    }
}
