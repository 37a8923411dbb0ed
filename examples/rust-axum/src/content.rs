//! The contents of batches and closes (sections 7.4 and 9), and the checks on messages.
use crate::failure::{Failure, Misuse};
use crate::protocol::Message;
use crate::record::Kind;

pub const LONGEST_BATCH: usize = 262_144;

/// Section 7.6, step 9: the length first, then UTF-8.
pub fn message(text: bool, payload: Vec<u8>, max_payload: usize) -> Result<Message, Failure> {
    if payload.len() > max_payload {
        return Err(Failure::Limit);
    }
    if text {
        String::from_utf8(payload).map(Message::Text).map_err(|_| Failure::Violation)
    } else {
        Ok(Message::Binary(payload))
    }
}

/// All messages of a batch, or none: its form is checked to the end before any message is.
pub fn parse_batch(content: &[u8], max_payload: usize) -> Result<Vec<Message>, Failure> {
    if content.is_empty() || content.len() > LONGEST_BATCH {
        return Err(Failure::Violation);
    }
    let mut entries = Vec::new();
    let mut rest = content;
    while let Some((kind, after)) = rest.split_first() {
        let text = match Kind::from_byte(*kind) {
            Some(Kind::Text) => true,
            Some(Kind::Binary) => false,
            _ => return Err(Failure::Violation),
        };
        let (length, after) = after.split_first_chunk::<4>().ok_or(Failure::Violation)?;
        let (payload, after) =
            after.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(Failure::Violation)?;
        entries.push((text, payload));
        rest = after;
    }
    entries.into_iter().map(|(text, payload)| message(text, payload.to_vec(), max_payload)).collect()
}

pub fn batch(messages: &[Message]) -> Result<Vec<u8>, Misuse> {
    let mut content = Vec::new();
    for message in messages {
        let (kind, payload) = kind_and_payload(message);
        // Also keeps the length within u32.
        if payload.len() > LONGEST_BATCH {
            return Err(Misuse::LongBatch);
        }
        content.push(kind as u8);
        content.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        content.extend_from_slice(payload);
    }
    match content.len() {
        0 => Err(Misuse::EmptyBatch),
        length if length > LONGEST_BATCH => Err(Misuse::LongBatch),
        _ => Ok(content),
    }
}

pub fn kind_and_payload(message: &Message) -> (Kind, &[u8]) {
    match message {
        Message::Text(text) => (Kind::Text, text.as_bytes()),
        Message::Binary(bytes) => (Kind::Binary, bytes),
    }
}

fn code_is_allowed(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Code and reason as the application sees them: an empty close is 1005.
pub fn parse_close(content: &[u8]) -> Result<(u16, String), Failure> {
    if content.is_empty() {
        return Ok((1005, String::new()));
    }
    let (code, reason) = content.split_first_chunk::<2>().ok_or(Failure::Violation)?;
    let code = u16::from_be_bytes(*code);
    if content.len() > 125 || !code_is_allowed(code) {
        return Err(Failure::Violation);
    }
    Ok((code, String::from_utf8(reason.to_vec()).map_err(|_| Failure::Violation)?))
}

pub fn close(code: Option<u16>, reason: &str) -> Result<Vec<u8>, Misuse> {
    let Some(code) = code else {
        return if reason.is_empty() { Ok(Vec::new()) } else { Err(Misuse::CloseReason) };
    };
    if !code_is_allowed(code) {
        return Err(Misuse::CloseCode);
    }
    if reason.len() > 123 {
        return Err(Misuse::CloseReason);
    }
    Ok([&code.to_be_bytes()[..], reason.as_bytes()].concat())
}
