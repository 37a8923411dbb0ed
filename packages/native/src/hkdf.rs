//! HKDF-SHA-256 (RFC 5869), extract and expand.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

use crate::Failed;

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Fills `out`, which has 1 to 8160 bytes.
pub fn derive(secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Failed> {
    if out.is_empty() {
        return Err(Failed);
    }
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    Ok(extracted.expand(&[info], Length(out.len()))?.fill(out)?)
}

#[cfg(test)]
mod tests {
    use super::derive;

    #[test]
    fn known_answer() {
        // RFC 5869 appendix A.3: no salt, no info.
        let mut out = [0; 42];
        derive(&[0x0b; 22], &[], &[], &mut out).unwrap();
        assert_eq!(out[..8], [0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f]);
        assert_eq!(
            out[34..],
            [0x9d, 0x20, 0x13, 0x95, 0xfa, 0xa4, 0xb6, 0x1a, 0x96, 0xc8][2..]
        );
    }

    #[test]
    fn lengths() {
        assert!(derive(&[1], &[], &[], &mut []).is_err());
        assert!(derive(&[1], &[], &[], &mut [0; 1]).is_ok());
        assert!(derive(&[1], &[], &[7; 1024], &mut vec![0; 8160]).is_ok());
        assert!(derive(&[1], &[], &[], &mut vec![0; 8161]).is_err());
    }
}
