//! AES-256-GCM (SP 800-38D) with a 96-bit nonce and a 128-bit tag, over frames `nonce || text || tag`.
//!
//! AWS-LC is called directly here, and not by way of aws-lc-rs: that has no way to encipher from one place to another
//! what ends with bytes that are there already, which saves a copy of every message.

use std::ptr::{self, NonNull};

use crate::Failed;
use crate::aws_lc::{
    EVP_AEAD_CTX, EVP_AEAD_CTX_free, EVP_AEAD_CTX_new, EVP_AEAD_CTX_open_gather,
    EVP_AEAD_CTX_seal_scatter, EVP_aead_aes_256_gcm,
};
use crate::bytes::Bytes;
use crate::nonces;

pub const KEY_BYTES: usize = 32;
pub const NONCE_BYTES: usize = 12;
pub const TAG_BYTES: usize = 16;
/// nonce and tag: no frame is shorter.
pub const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// What follows the content inside a frame is copied before it is enciphered, if it is no longer than this.
const LONGEST_TAIL: usize = 256;

/// A key with its schedule. AWS-LC overwrites all memory that it frees.
pub struct Key(NonNull<EVP_AEAD_CTX>);

// SAFETY: the context is plain memory, tied to no thread. It is not Sync: nobody shares one.
unsafe impl Send for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: `new` gave it, and it is freed once.
        unsafe { EVP_AEAD_CTX_free(self.0.as_ptr()) }
    }
}

/// Where the nonce of a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce {
    /// It is drawn and written in front of the frame.
    Fresh,
    /// It stands in front of the frame.
    Given,
}

impl Key {
    pub fn new(key: &[u8; KEY_BYTES]) -> Result<Self, Failed> {
        // SAFETY: takes nothing and gives a pointer to a constant.
        let algorithm = unsafe { EVP_aead_aes_256_gcm() };
        // SAFETY: the key is read during the call, and its length is that of the array.
        let context = unsafe { EVP_AEAD_CTX_new(algorithm, key.as_ptr(), KEY_BYTES, TAG_BYTES) };
        NonNull::new(context).map(Self).ok_or(Failed)
    }

    /// Makes `nonce || content || rest || anything(16)` of `frame` to `nonce || ciphertext || tag`. Where `content`
    /// is given it is read from there, and stands in the frame only as ciphertext.
    pub fn seal(
        &self,
        frame: Bytes,
        additional_data: Bytes,
        content: Option<Bytes>,
        nonce: Nonce,
    ) -> Result<(), Failed> {
        let text_length = frame.len().checked_sub(OVERHEAD_BYTES).ok_or(Failed)?;
        let text = frame.part(NONCE_BYTES, text_length).ok_or(Failed)?;
        let content_length = content.map_or(text_length, Bytes::len);
        let tail_length = text_length.checked_sub(content_length).ok_or(Failed)?;
        let tail = text.part(content_length, tail_length).ok_or(Failed)?;
        let head = text.part(0, content_length).ok_or(Failed)?;

        let in_front = frame.part(0, NONCE_BYTES).ok_or(Failed)?;
        let number = match nonce {
            Nonce::Given => in_front.to_array().ok_or(Failed)?,
            Nonce::Fresh => nonces::fresh()?,
        };

        let content = match content {
            Some(content) if content.overlaps(frame) || tail_length > LONGEST_TAIL => {
                // SAFETY: both are valid for as many bytes; `copy` allows them to overlap.
                unsafe { ptr::copy(content.start(), head.start(), content_length) };
                None
            }
            other => other,
        };
        let sealed = match content {
            None => self.scatter(text, text, &[], &number, additional_data),
            Some(content) => {
                let mut copy = [0; LONGEST_TAIL];
                let copy = copy.get_mut(..tail_length).ok_or(Failed)?;
                // SAFETY: the slice is gone before anything is written.
                copy.copy_from_slice(unsafe { tail.as_slice() });
                self.scatter(content, head, copy, &number, additional_data)
            }
        };
        sealed?;
        // Last, so that a nonce is only seen with what was sealed under it.
        // SAFETY: `in_front` is valid for 12 bytes, and `number` is a local.
        unsafe { ptr::copy_nonoverlapping(number.as_ptr(), in_front.start(), NONCE_BYTES) };
        Ok(())
    }

    /// Enciphers `from` to `to`, then `tail` and the tag straight behind `to`.
    fn scatter(
        &self,
        from: Bytes,
        to: Bytes,
        tail: &[u8],
        nonce: &[u8; NONCE_BYTES],
        additional_data: Bytes,
    ) -> Result<(), Failed> {
        let rest = tail.len().checked_add(TAG_BYTES).ok_or(Failed)?;
        let mut written = 0;
        // SAFETY: `from` and `to` have the same length, and are the same place or do not overlap; behind `to` the frame
        // goes on for `rest` bytes (`seal` took both from it); `tail` and the nonce are memory of ours; the context
        // is only read. Additional data that overlap the frame are read before anything is written.
        let done = unsafe {
            EVP_AEAD_CTX_seal_scatter(
                self.0.as_ptr(),
                to.start(),
                to.start().wrapping_add(to.len()),
                &raw mut written,
                rest,
                nonce.as_ptr(),
                nonce.len(),
                from.start(),
                from.len(),
                tail.as_ptr(),
                tail.len(),
                additional_data.start(),
                additional_data.len(),
            )
        };
        if done == 1 && written == rest {
            Ok(())
        } else {
            Err(Failed)
        }
    }

    /// Deciphers `nonce || ciphertext || tag` to `to`, which is as long as the ciphertext and is its place in the
    /// frame or does not overlap it.
    /// @returns whether the tag was right: if it was not, `to` is overwritten with zeros
    pub fn open(&self, frame: Bytes, additional_data: Bytes, to: Bytes) -> Result<bool, Failed> {
        let length = frame.len().checked_sub(OVERHEAD_BYTES).ok_or(Failed)?;
        let text = frame.part(NONCE_BYTES, length).ok_or(Failed)?;
        let tag_at = NONCE_BYTES.checked_add(length).ok_or(Failed)?;
        let tag: [u8; TAG_BYTES] = frame
            .part(tag_at, TAG_BYTES)
            .and_then(Bytes::to_array)
            .ok_or(Failed)?;
        let nonce: [u8; NONCE_BYTES] = frame
            .part(0, NONCE_BYTES)
            .and_then(Bytes::to_array)
            .ok_or(Failed)?;
        let in_place = to.start() == text.start();
        if to.len() != length || (!in_place && to.overlaps(frame)) {
            return Err(Failed);
        }
        // SAFETY: `to` and `text` have the same length, and are the same place or do not overlap; tag and nonce
        // are locals; the context is only read. Additional data that overlap `to` are read before anything is written.
        let opened = unsafe {
            EVP_AEAD_CTX_open_gather(
                self.0.as_ptr(),
                to.start(),
                nonce.as_ptr(),
                nonce.len(),
                text.start(),
                text.len(),
                tag.as_ptr(),
                tag.len(),
                additional_data.start(),
                additional_data.len(),
            )
        };
        if opened != 1 {
            // SP 800-38D section 7.2: nothing of what was deciphered may be seen. AWS-LC has overwritten it; that is
            // too much to leave to another's diligence.
            // SAFETY: `to` is valid for its length, and no reference to it exists.
            unsafe { ptr::write_bytes(to.start(), 0, to.len()) };
        }
        Ok(opened == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, NONCE_BYTES, Nonce, OVERHEAD_BYTES, TAG_BYTES};
    use crate::bytes::Bytes;

    fn bytes(memory: &mut [u8]) -> Bytes<'_> {
        // SAFETY: `memory` is borrowed for as long as the bytes are used.
        unsafe { Bytes::new(memory.as_mut_ptr(), memory.len()) }
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|c| c.to_digit(16))
            .map(|d| d as u8)
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    fn key() -> Key {
        Key::new(&[7; 32]).unwrap()
    }

    /// The frame, sealed, of `text`.
    fn sealed(text: &[u8], aad: &[u8]) -> Vec<u8> {
        let mut frame = [&[9; NONCE_BYTES], text, &[0; TAG_BYTES]].concat();
        let mut aad = aad.to_vec();
        key()
            .seal(bytes(&mut frame), bytes(&mut aad), None, Nonce::Given)
            .unwrap();
        frame
    }

    #[test]
    fn known_answer() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
        let secret = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let text = hex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let mut aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let expected = hex("cafebabefacedbaddecaf888\
             522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b");
        let mut frame = [&hex("cafebabefacedbaddecaf888"), &text, &vec![0; TAG_BYTES]]
            .map(Vec::as_slice)
            .concat();
        let key = Key::new(secret.as_slice().try_into().unwrap()).unwrap();
        key.seal(bytes(&mut frame), bytes(&mut aad), None, Nonce::Given)
            .unwrap();
        assert_eq!(frame, expected);
        let mut opened = vec![0; text.len()];
        assert_eq!(
            key.open(bytes(&mut frame), bytes(&mut aad), bytes(&mut opened)),
            Ok(true)
        );
        assert_eq!(opened, text);
    }

    #[test]
    fn content_from_elsewhere_gives_the_same_frame() {
        for length in [0, 1, 15, 16, 17, 255, 256, 257, 600] {
            let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let expected = sealed(&text, &[1, 2]);
            for content_length in 0..=length {
                let mut content = text[..content_length].to_vec();
                let mut frame = [&[9; NONCE_BYTES], text.as_slice(), &[0; TAG_BYTES]].concat();
                frame[NONCE_BYTES..NONCE_BYTES + content_length].fill(0xee);
                key()
                    .seal(
                        bytes(&mut frame),
                        bytes(&mut [1, 2]),
                        Some(bytes(&mut content)),
                        Nonce::Given,
                    )
                    .unwrap();
                assert_eq!(frame, expected);
                assert_eq!(content, text[..content_length]);
            }
        }
    }

    #[test]
    fn content_inside_the_frame_gives_the_same_frame() {
        let text: Vec<u8> = (0..100).collect();
        let expected = sealed(&text, &[]);
        for from in 0..=28 {
            let mut frame = vec![0; 100 + OVERHEAD_BYTES];
            frame[..NONCE_BYTES].fill(9);
            frame[from..from + 100].copy_from_slice(&text);
            let all = bytes(&mut frame);
            let content = all.part(from, 100).unwrap();
            let mut none = [];
            // The nonce is read first, and is what the content has put there.
            let fresh = if from < NONCE_BYTES {
                Nonce::Fresh
            } else {
                Nonce::Given
            };
            key()
                .seal(all, bytes(&mut none), Some(content), fresh)
                .unwrap();
            if fresh == Nonce::Given {
                assert_eq!(frame[NONCE_BYTES..], expected[NONCE_BYTES..]);
            } else {
                let mut opened = vec![0; 100];
                assert_eq!(
                    key().open(bytes(&mut frame), bytes(&mut none), bytes(&mut opened)),
                    Ok(true)
                );
                assert_eq!(opened, text);
            }
        }
    }

    #[test]
    fn opens_in_place_and_elsewhere_and_leaves_zeros_of_what_was_changed() {
        for length in [0, 1, 16, 100, 5000] {
            let text = vec![0xaa; length];
            let frame = sealed(&text, b"data");
            let mut here = frame.clone();
            let all = bytes(&mut here);
            let inside = all.part(NONCE_BYTES, length).unwrap();
            assert_eq!(
                key().open(all, bytes(&mut b"data".to_vec()), inside),
                Ok(true)
            );
            assert_eq!(here[NONCE_BYTES..NONCE_BYTES + length], text);
            for at in [0, 11, frame.len() - 17, frame.len() - 1] {
                let mut changed = frame.clone();
                changed[at] ^= 1;
                let mut opened = vec![0xbb; length];
                let result = key().open(
                    bytes(&mut changed),
                    bytes(&mut b"data".to_vec()),
                    bytes(&mut opened),
                );
                assert_eq!(result, Ok(false));
                assert!(opened.iter().all(|byte| *byte == 0));
                let all = bytes(&mut changed);
                let inside = all.part(NONCE_BYTES, length).unwrap();
                assert_eq!(
                    key().open(all, bytes(&mut b"data".to_vec()), inside),
                    Ok(false)
                );
                assert!(
                    changed[NONCE_BYTES..NONCE_BYTES + length]
                        .iter()
                        .all(|byte| *byte == 0)
                );
            }
            let mut opened = vec![0; length];
            assert_eq!(
                key().open(
                    bytes(&mut frame.clone()),
                    bytes(&mut []),
                    bytes(&mut opened)
                ),
                Ok(false)
            );
        }
    }

    #[test]
    fn refuses_lengths_and_overlaps() {
        let mut short = [0; OVERHEAD_BYTES - 1];
        assert!(
            key()
                .seal(bytes(&mut short), bytes(&mut []), None, Nonce::Fresh)
                .is_err()
        );
        assert!(
            key()
                .open(bytes(&mut short), bytes(&mut []), bytes(&mut []))
                .is_err()
        );
        let mut frame = [0; OVERHEAD_BYTES + 4];
        let mut long = [0; 5];
        assert!(
            key()
                .seal(
                    bytes(&mut frame),
                    bytes(&mut []),
                    Some(bytes(&mut long)),
                    Nonce::Fresh
                )
                .is_err()
        );
        assert!(
            key()
                .open(bytes(&mut frame), bytes(&mut []), bytes(&mut long))
                .is_err()
        );
        let all = bytes(&mut frame);
        assert!(
            key()
                .open(all, bytes(&mut []), all.part(NONCE_BYTES + 1, 4).unwrap())
                .is_err()
        );
        assert_eq!(frame, [0; OVERHEAD_BYTES + 4]);
    }

    #[test]
    fn fresh_nonces_differ() {
        let mut nonces = std::collections::HashSet::new();
        for _ in 0..1000 {
            let mut frame = [0; OVERHEAD_BYTES];
            key()
                .seal(bytes(&mut frame), bytes(&mut []), None, Nonce::Fresh)
                .unwrap();
            assert!(nonces.insert(frame[..NONCE_BYTES].to_vec()));
        }
    }
}
