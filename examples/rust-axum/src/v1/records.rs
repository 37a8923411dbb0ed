//! What arrives once the connection is open (sections 7.6 and 9).
use super::exchange::Exchange;
use super::{Connection, State};
use crate::content;
use crate::failure::{Ending, Failure};
use crate::protocol::{Event, Message};
use crate::record::Kind;
use std::time::Instant;

impl Connection {
    /// Section 7.6 from step 2; the text message of step 1 was refused before.
    pub(super) fn on_frame(&mut self, frame: Vec<u8>, now: Instant) -> Result<(), Failure> {
        let session = self.session.as_mut().ok_or(Failure::Record)?;
        let (kind, content) = session.receiver.open(frame)?;
        if let Some(heartbeat) = &mut session.heartbeat {
            heartbeat.hear(now);
        }
        // Behind an exchange's answer or end, and nowhere else.
        let is_due = session.exchange.as_ref().is_some_and(Exchange::finished_is_due);
        if (kind == Kind::Finished) != is_due {
            return Err(Failure::Violation);
        }
        let max_payload = self.options().max_payload;
        match kind {
            Kind::Text | Kind::Binary => {
                let message = content::message(kind == Kind::Text, content, max_payload)?;
                self.deliver([message]);
            }
            Kind::Batch => {
                let messages = content::parse_batch(&content, max_payload)?;
                self.deliver(messages);
            }
            Kind::KeyUpdate => {}
            Kind::Finished => self.on_exchange_finished(&content, now)?,
            Kind::ExchangeWanted | Kind::ExchangeOffer | Kind::ExchangeAnswer | Kind::ExchangeEnd => {
                self.on_exchange(kind, &content, now)?;
            }
            Kind::Ping | Kind::Pong => self.on_heartbeat(kind, content, now)?,
            Kind::Close => self.on_close(content, now)?,
            Kind::CloseAnswer => self.on_close_answer(&content)?,
        }
        Ok(())
    }

    fn deliver(&mut self, messages: impl IntoIterator<Item = Message>) {
        // After one's own close, messages are checked all the same and then discarded (section 9).
        if self.is_open() {
            messages.into_iter().for_each(|message| self.queues.tell(Event::Message(message)));
        }
    }

    fn on_close(&mut self, content: Vec<u8>, now: Instant) -> Result<(), Failure> {
        let (code, reason) = content::parse_close(&content)?;
        let crossed = self.own_close.is_some();
        self.give_up_exchange(now);
        if !crossed {
            self.seal(Kind::CloseAnswer, &content, now);
        }
        self.finish(code, reason, crossed);
        Ok(())
    }

    fn on_close_answer(&mut self, content: &[u8]) -> Result<(), Failure> {
        let (code, reason) = content::parse_close(content)?;
        if self.own_close.as_deref() != Some(content) {
            return Err(Failure::Violation);
        }
        self.finish(code, reason, false);
        Ok(())
    }

    fn finish(&mut self, code: u16, reason: String, crossed: bool) {
        self.close_deadline = None;
        self.state = State::Finishing(Ending { code, reason, clean: true, crossed, found_here: false });
    }
}
