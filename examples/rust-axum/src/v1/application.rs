//! What an application calls, and the records that come of it (sections 6.1, 7.4, 8 and 9).
use super::{Connection, Role, Session, State};
use crate::content;
use crate::failure::{Ending, Misuse};
use crate::identity::PeerKey;
use crate::kem::Kem;
use crate::protocol::{Message, Outgoing};
use crate::record::{Kind, Padding};
use std::time::Instant;

impl Connection {
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    pub fn has_answered_early(&self) -> bool {
        matches!(self.state, State::AwaitingRepeatedHello(_) | State::Replying { early: Some(_) })
    }

    /// A server may send from its Finished on (section 3.2), unless its client still has to prove who it is.
    fn can_send(&self) -> bool {
        match (&self.state, &self.role) {
            (State::Open, _) => true,
            (State::AwaitingFinished | State::AwaitingRepeatedHello(_), Role::Server(options)) => {
                options.client_keys.is_none()
            }
            _ => false,
        }
    }

    fn sendable(&mut self) -> Result<&mut Session, Misuse> {
        if !self.can_send() {
            return Err(Misuse::NotOpen);
        }
        self.session.as_mut().ok_or(Misuse::NotOpen)
    }

    pub(super) fn seal(&mut self, kind: Kind, content: &[u8], now: Instant) {
        if let Some(session) = &mut self.session {
            for frame in session.sender.seal(kind, content, now, self.random.as_mut()) {
                self.queues.send(Outgoing::Binary(frame));
            }
        }
    }

    pub fn send(&mut self, message: &Message, now: Instant) -> Result<(), Misuse> {
        self.sendable()?;
        let (kind, payload) = content::kind_and_payload(message);
        self.seal(kind, payload, now);
        Ok(())
    }

    /// Messages that are there anyway, in one record; a single one goes alone (section 7.4).
    pub fn send_batch(&mut self, messages: &[Message], now: Instant) -> Result<(), Misuse> {
        self.sendable()?;
        if let [message] = messages {
            return self.send(message, now);
        }
        self.seal(Kind::Batch, &content::batch(messages)?, now);
        Ok(())
    }

    /// A key update now and this message after it, under the new key: no update may go alone (section 8).
    pub fn update_and_send(&mut self, message: &Message, now: Instant) -> Result<(), Misuse> {
        self.sendable()?;
        if let Some(session) = &mut self.session {
            if let Some(frame) = session.sender.update(now, self.random.as_mut()) {
                self.queues.send(Outgoing::Binary(frame));
            }
        }
        self.send(message, now)
    }

    pub fn set_padding(&mut self, padding: Padding) -> Result<(), Misuse> {
        self.sendable()?.sender.padding = padding;
        Ok(())
    }

    /// `code` none: an empty close, which both ends see as 1005.
    pub fn close(&mut self, code: Option<u16>, reason: &str, now: Instant) -> Result<(), Misuse> {
        let content = content::close(code, reason)?;
        let next = match &self.state {
            State::Open => State::CloseSent,
            State::AwaitingFinished if self.can_send() => State::ClosingUnconfirmed,
            State::AwaitingRepeatedHello(hello) if self.can_send() => State::ClosingUnrepeated(hello.clone()),
            State::AwaitingClientHello
            | State::Replying { .. }
            | State::AwaitingServerHello { .. }
            | State::AwaitingFinished
            | State::Verifying
            | State::AwaitingRepeatedHello(_) => {
                // Nothing can be sealed yet, or the client may not; the transport's close is all there is.
                self.end(Ending::unclean(1006), Some(super::done()));
                return Ok(());
            }
            _ => return Err(Misuse::NotOpen),
        };
        self.seal(Kind::Close, &content, now);
        self.own_close = Some(content);
        self.state = next;
        self.give_up_exchange(now);
        Ok(())
    }

    /// Section 6.1. A server's is usable from its Finished on.
    pub fn export_key(&self, label: &str, length: usize) -> Result<Vec<u8>, Misuse> {
        match (&self.role, &self.session) {
            (Role::Server(options), Some(session))
                if options.client_keys.is_none() && !matches!(self.state, State::Replying { .. }) =>
            {
                session.exporter.export(label, length)
            }
            (_, Some(session)) if self.peer_finished => session.exporter.export(label, length),
            _ => Err(Misuse::NotOpen),
        }
    }

    /// What the handshake ran with, while there is a session.
    pub fn kem(&self) -> Option<Kem> {
        self.session.as_ref().map(|session| session.kem)
    }

    /// Who has proved to be the peer: a client at a server that demands it, the server at a client that pins it.
    pub fn peer_key(&self) -> Option<&PeerKey> {
        self.peer_key.as_ref()
    }

    /// Public: it identifies the handshake, while there is a session. Exchanges do not change it.
    pub fn transcript_hash(&self) -> Option<[u8; 32]> {
        self.session.as_ref().map(|session| session.th)
    }

    /// How often the peer has updated its key.
    pub fn received_updates(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.receiver.updates())
    }
}
