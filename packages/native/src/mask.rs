//! The masking of WebSocket frames (RFC 6455 section 5.3), with the two functions that npm `ws` asks of `bufferutil`.

use std::ptr;

use crate::bytes::Bytes;

/// Masks in place; the first byte is masked with the key's first.
pub fn apply(bytes: &mut [u8], key: [u8; 4]) {
    let word = u32::from_ne_bytes(key);
    let wide = u64::from(word) | (u64::from(word) << 32);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(eight) = <&mut [u8; 8]>::try_from(chunk) {
            *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Masks `source` to as many bytes at `target`, which may be the same place or overlap.
pub fn copy(source: Bytes, key: [u8; 4], target: Bytes) {
    let length = source.len().min(target.len());
    if source.start() != target.start() {
        // SAFETY: both are valid for as many bytes; `copy` allows them to overlap.
        unsafe { ptr::copy(source.start(), target.start(), length) };
    }
    if let Some(target) = target.part(0, length) {
        // SAFETY: this is the only reference to the memory, and nothing else runs until it is gone.
        apply(unsafe { target.as_mut_slice() }, key);
    }
}

#[cfg(test)]
mod tests {
    use super::{apply, copy};
    use crate::bytes::Bytes;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn byte_by_byte(bytes: &[u8]) -> Vec<u8> {
        bytes
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ KEY[i % 4])
            .collect()
    }

    #[test]
    fn hello() {
        // RFC 6455 section 5.7.
        let mut text = *b"Hello";
        apply(&mut text, KEY);
        assert_eq!(text, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn every_length_and_place() {
        let memory: Vec<u8> = (0..80).collect();
        for from in 0..8 {
            for length in 0..70 {
                let mut masked = memory.clone();
                apply(&mut masked[from..from + length], KEY);
                assert_eq!(masked[..from], memory[..from]);
                assert_eq!(
                    masked[from..from + length],
                    byte_by_byte(&memory[from..from + length])
                );
                assert_eq!(masked[from + length..], memory[from + length..]);
            }
        }
    }

    #[test]
    fn to_a_place_that_overlaps() {
        let memory: Vec<u8> = (0..64).collect();
        for (from, to) in [(0, 0), (0, 3), (3, 0), (0, 32)] {
            let mut moved = memory.clone();
            // SAFETY: `moved` outlives the bytes.
            let bytes = unsafe { Bytes::new(moved.as_mut_ptr(), moved.len()) };
            copy(
                bytes.part(from, 30).unwrap(),
                KEY,
                bytes.part(to, 30).unwrap(),
            );
            assert_eq!(moved[to..to + 30], byte_by_byte(&memory[from..from + 30]));
        }
    }
}
