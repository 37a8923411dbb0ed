//! What an end asks of its application's functions: to sign, to attest, to verify, to take a key. They may take their time, so that
//! a binding runs them where they hold nobody up, and hands back what came of it.
use crate::failure::Failure;
use crate::identity::PeerKey;
use crate::protocol::Incoming;
use std::collections::VecDeque;
use std::fmt;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    /// Who the peer has proved to be.
    pub peer_key: Option<PeerKey>,
    /// What this end says of itself: the content of its Finished, or a document.
    pub own: Option<Vec<u8>>,
}

type Ask = dyn FnOnce() -> Result<Proofs, Failure> + Send;

/// The application's functions, to be run. It shares nothing with the connection that changes.
pub struct Work(Box<Ask>);

impl Work {
    pub(crate) fn new(ask: impl FnOnce() -> Result<Proofs, Failure> + Send + 'static) -> Self {
        Self(Box::new(ask))
    }

    /// Runs them, on whatever thread this is called.
    pub fn run(self) -> Done {
        Done((self.0)())
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// What `Protocol::complete` takes.
#[derive(Debug)]
pub struct Done(pub(crate) Result<Proofs, Failure>);

impl Done {
    /// For work that never came to an end: nothing is proved.
    pub fn refused() -> Self {
        Self(Err(Failure::Authentication))
    }
}

/// What arrives while a check of the peer runs: it waits unopened, in order, and bounded (section 3.1).
#[derive(Debug, Default)]
pub(crate) struct Held {
    messages: VecDeque<Incoming>,
    bytes: usize,
}

impl Held {
    /// What an empty message costs.
    const EACH: usize = 64;

    /// At most twice `longest` waits.
    pub fn push(&mut self, message: Incoming, longest: usize) -> Result<(), Failure> {
        self.bytes += Self::EACH + message.length();
        if self.bytes > 2 * longest {
            return Err(Failure::Limit);
        }
        self.messages.push_back(message);
        Ok(())
    }

    pub fn pop(&mut self) -> Option<Incoming> {
        let message = self.messages.pop_front();
        self.bytes -= message.as_ref().map_or(0, |message| Self::EACH + message.length());
        message
    }
}
