//! What can go wrong, and the transport close code that says so (section 10).
use std::fmt;

/// A failure that this end found. Its code and reason go to the transport; neither says anything of secrets or contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Handshake,
    Timeout,
    Authentication,
    Record,
    Violation,
    Limit,
}

impl Failure {
    pub fn code(self) -> u16 {
        match self {
            Self::Handshake => 3768,
            Self::Timeout => 3769,
            Self::Authentication => 3770,
            Self::Record => 3771,
            Self::Violation => 3772,
            Self::Limit => 3773,
        }
    }

    pub fn reason(self) -> &'static str {
        match self {
            Self::Handshake => "handshake failed",
            Self::Timeout => "handshake timed out",
            Self::Authentication => "authentication failed",
            Self::Record => "record refused",
            Self::Violation => "protocol violation",
            Self::Limit => "limit exceeded",
        }
    }

    /// The phase rule of section 10.
    pub fn before_finished(self) -> Self {
        match self {
            Self::Timeout | Self::Authentication => self,
            _ => Self::Handshake,
        }
    }
}

/// How a connection ended, as its application sees it (section 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub code: u16,
    pub reason: String,
    pub clean: bool,
    /// Both ends closed at once: messages that either had under way may have been discarded.
    pub crossed: bool,
    /// Whether this end itself found the failure; a code that only the transport claims is a hint.
    pub found_here: bool,
}

impl Ending {
    /// An end without the peer's sealed close: no reason is shown.
    pub fn unclean(code: u16) -> Self {
        Self { code, reason: String::new(), clean: false, crossed: false, found_here: false }
    }
}

/// A call that the application should not have made. The connection is unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    NotOpen,
    CloseCode,
    CloseReason,
    EmptyBatch,
    LongBatch,
    ExportLength,
    EmptyContext,
    PaddingBlock,
    Kems,
    ClientKeys,
    NoExchange,
    NoHeartbeat,
    LongPing,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the connection is not open",
            Self::CloseCode => "a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999",
            Self::CloseReason => "a close reason has at most 123 bytes and needs a code",
            Self::EmptyBatch => "a batch has a message or more",
            Self::LongBatch => "a batch has at most 262,144 bytes, headers included",
            Self::ExportLength => "an exported key has 1 to 8,160 bytes",
            Self::EmptyContext => "a context has a byte or more",
            Self::PaddingBlock => "a padding block has 1 to 65,536 bytes",
            Self::Kems => "a list of KEMs has one or more, and none twice",
            Self::ClientKeys => "a list of client keys has one or more, unless a function accepts some",
            Self::NoExchange => "exchanges are off in this connection",
            Self::NoHeartbeat => "sealed pings are off in this connection",
            Self::LongPing => "a ping has at most 125 bytes",
        })
    }
}

impl std::error::Error for Misuse {}
