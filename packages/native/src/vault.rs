//! What JavaScript has a handle of: keys, secrets and key pairs, each under a number of its own.
//!
//! A connection has one vault for each key agreement. A handle for each secret would cost more than deriving it: JavaScript's engine keeps an object,
//! a reference and a finalizer for every one.

use zeroize::Zeroizing;

use crate::Failed;
use crate::aead::Key;
use crate::kem::KeyPair;

/// Dropping any of it overwrites it. Each stands in memory of its own, which never moves, so that a list that grows leaves no copy behind.
// Under test nothing reads some of it: the bindings do.
#[cfg_attr(test, allow(dead_code))]
pub enum Held {
    Secret(Zeroizing<Vec<u8>>),
    Key(Key),
    KeyPair(Box<KeyPair>),
}

/// Few things at a time: six while a connection is idle.
#[derive(Default)]
pub struct Vault {
    held: Vec<(u32, Held)>,
    /// No number is given twice, so that who uses one too late finds nothing instead of something else.
    next: u32,
}

impl Vault {
    /// Fails when all numbers have been given.
    pub fn put(&mut self, held: Held) -> Result<u32, Failed> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or(Failed)?;
        self.held.push((number, held));
        Ok(number)
    }

    pub fn get(&self, number: u32) -> Option<&Held> {
        self.held
            .iter()
            .find_map(|(given, held)| (*given == number).then_some(held))
    }

    /// Once more does nothing.
    pub fn destroy(&mut self, number: u32) {
        self.held.retain(|(given, _)| *given != number);
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Vault};
    use crate::aead::Key;
    use crate::kem::{Kem, KeyPair};
    use zeroize::Zeroizing;

    fn secret(byte: u8) -> Held {
        Held::Secret(Zeroizing::new(vec![byte; 4]))
    }

    fn found(vault: &Vault, number: u32) -> Option<u8> {
        match vault.get(number) {
            Some(Held::Secret(bytes)) => bytes.first().copied(),
            _ => None,
        }
    }

    #[test]
    fn gives_what_was_put_until_it_is_destroyed() {
        let mut vault = Vault::default();
        let numbers: Vec<_> = (0..20)
            .map(|byte| vault.put(secret(byte)).unwrap())
            .collect();
        for (byte, number) in (0..20).zip(&numbers) {
            assert_eq!(found(&vault, *number), Some(byte));
        }
        for number in numbers.iter().step_by(2) {
            vault.destroy(*number);
            vault.destroy(*number);
        }
        for (byte, number) in (0..20).zip(&numbers) {
            assert_eq!(found(&vault, *number), (byte % 2 == 1).then_some(byte));
        }
    }

    #[test]
    fn holds_things_of_every_kind() {
        let mut vault = Vault::default();
        let pair = KeyPair::generate(Kem::MlKem768, None).unwrap();
        let pair = vault.put(Held::KeyPair(Box::new(pair))).unwrap();
        let key = vault.put(Held::Key(Key::new(&[1; 32]).unwrap())).unwrap();
        assert!(matches!(vault.get(pair), Some(Held::KeyPair(_))));
        vault.destroy(pair);
        assert!(vault.get(pair).is_none());
        assert!(matches!(vault.get(key), Some(Held::Key(_))));
    }

    #[test]
    fn no_number_comes_twice() {
        let mut vault = Vault::default();
        let first = vault.put(secret(1)).unwrap();
        vault.destroy(first);
        let second = vault.put(secret(2)).unwrap();
        assert_ne!(first, second);
        assert_eq!(found(&vault, first), None);
        vault.next = u32::MAX;
        assert!(vault.put(secret(3)).is_err());
        assert_eq!(found(&vault, second), Some(2));
    }
}
