//! Nonces, drawn from AWS-LC some at a time: a call of its generator costs more than sealing a short message, for 12
//! bytes as for hundreds.
//!
//! Each is given once and overwritten. A thread has a pool of its own, so every realm of Node has, and a process that Node
//! starts begins with none. A nonce is no secret once it is used, and before that tells nothing of what it will seal.

use std::cell::RefCell;

use aws_lc_rs::rand;

use crate::Failed;
use crate::aead::NONCE_BYTES;

type Nonce = [u8; NONCE_BYTES];

/// So few that hardly any are drawn for nothing.
const POOLED: usize = 16;

struct Pool {
    nonces: [Nonce; POOLED],
    /// The first that is not given yet.
    next: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

impl Pool {
    const fn new() -> Self {
        Self {
            nonces: [[0; NONCE_BYTES]; POOLED],
            next: POOLED,
        }
    }

    fn take(&mut self) -> Result<Nonce, Failed> {
        if self.next >= POOLED {
            rand::fill(self.nonces.as_flattened_mut())?;
            self.next = 0;
        }
        let slot = self.nonces.get_mut(self.next).ok_or(Failed)?;
        let nonce = std::mem::take(slot);
        self.next = self.next.saturating_add(1);
        Ok(nonce)
    }
}

/// A nonce that nobody else gets.
pub fn fresh() -> Result<Nonce, Failed> {
    POOL.try_with(|pool| pool.try_borrow_mut().map_err(|_| Failed)?.take())
        .map_err(|_| Failed)?
}

#[cfg(test)]
mod tests {
    use super::{POOLED, Pool, fresh};
    use std::collections::HashSet;

    #[test]
    fn none_comes_twice_in_any_thread() {
        let draw = || (0..1000).map(|_| fresh().unwrap()).collect::<Vec<_>>();
        let others: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let mut all = draw();
        for other in others {
            all.extend(other.join().unwrap());
        }
        let distinct: HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 5000);
        assert!(!distinct.contains(&[0; 12]));
    }

    #[test]
    fn what_is_given_is_overwritten() {
        let mut pool = Pool::new();
        for given in 1..=3 * POOLED {
            let nonce = pool.take().unwrap();
            assert_ne!(nonce, [0; 12]);
            assert!(!pool.nonces.contains(&nonce));
            let wiped = pool.nonces.iter().filter(|other| **other == [0; 12]);
            assert_eq!(wiped.count(), (given - 1) % POOLED + 1);
        }
    }
}
