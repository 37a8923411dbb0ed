//! A Uint8Array that JavaScript gave, as pointer and length.

use std::marker::PhantomData;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue, sys};
use napi::{Error, Result, Status, ValueType, check_status};

/// The memory that a Uint8Array is a view of, for as long as the call lasts that it was given to.
///
/// Not a slice: two arguments may be views of the same memory, and Rust references may not.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'call> {
    start: *mut u8,
    length: usize,
    call: PhantomData<&'call ()>,
}

impl<'call> Bytes<'call> {
    /// # Safety
    /// `start` is valid for reads and writes of `length` bytes, which no other thread touches, for `'call`.
    pub const unsafe fn new(start: *mut u8, length: usize) -> Self {
        Self {
            start,
            length,
            call: PhantomData,
        }
    }

    pub const fn len(self) -> usize {
        self.length
    }

    pub const fn start(self) -> *mut u8 {
        self.start
    }

    /// The bytes from `from` on, `length` of them; `None` where there are not as many.
    pub fn part(self, from: usize, length: usize) -> Option<Self> {
        if from.checked_add(length)? > self.length {
            return None;
        }
        Some(Self {
            start: self.start.wrapping_add(from),
            length,
            call: PhantomData,
        })
    }

    pub fn overlaps(self, other: Self) -> bool {
        let (a, b) = (self.start.addr(), other.start.addr());
        // Neither sum wraps: both are ends of memory that exists.
        self.length > 0
            && other.length > 0
            && a < b.wrapping_add(other.length)
            && b < a.wrapping_add(self.length)
    }

    /// # Safety
    /// Nothing writes to these bytes while the slice is in use.
    pub const unsafe fn as_slice(self) -> &'call [u8] {
        // SAFETY: `new` asked for valid memory, and the caller answers for writes.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// # Safety
    /// Nothing else reads or writes these bytes while the slice is in use.
    pub const unsafe fn as_mut_slice(self) -> &'call mut [u8] {
        // SAFETY: `new` asked for valid memory, and the caller answers for everybody else.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }

    /// A copy, for what is short.
    pub fn to_array<const N: usize>(self) -> Option<[u8; N]> {
        // SAFETY: nothing else runs until the copy is made.
        unsafe { self.as_slice() }.try_into().ok()
    }
}

fn refused(reason: &str) -> Error {
    Error::new(Status::InvalidArg, reason.to_owned())
}

impl FromNapiValue for Bytes<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut kind = -1;
        let mut length = 0;
        let mut data = ptr::null_mut();
        let mut buffer = ptr::null_mut();
        // SAFETY: napi-rs gave `env` and `value`, the out-parameters are locals, and the last one may be null.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                &raw mut buffer,
                ptr::null_mut(),
            )
        };
        if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
            return Err(refused("expected a Uint8Array"));
        }
        // Another thread can write to a SharedArrayBuffer while we read it; and that is what is no ArrayBuffer.
        let mut is_private = false;
        check_status!(
            // SAFETY: as above; `buffer` is the handle that the call before gave.
            unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut is_private) },
            "asking for an ArrayBuffer failed"
        )?;
        if !is_private {
            return Err(refused("shared memory can not be used here"));
        }
        // A detached or empty view has no memory, and its pointer may be anything.
        let start = if length == 0 || data.is_null() {
            ptr::NonNull::dangling().as_ptr()
        } else {
            data.cast()
        };
        let length = if data.is_null() { 0 } else { length };
        // SAFETY: V8 keeps the memory for as long as `value` is on the callback's stack; nothing detaches or
        // resizes it, because no JavaScript runs until the call returns; it is not shared with other threads.
        Ok(unsafe { Self::new(start, length) })
    }
}

impl TypeName for Bytes<'_> {
    fn type_name() -> &'static str {
        "Uint8Array"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Bytes<'_> {
    unsafe fn validate(_env: sys::napi_env, _value: sys::napi_value) -> Result<sys::napi_value> {
        // from_napi_value checks all that there is.
        Ok(ptr::null_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn parts_stay_inside() {
        let mut memory = [1, 2, 3, 4];
        // SAFETY: `memory` outlives `bytes`.
        let bytes = unsafe { Bytes::new(memory.as_mut_ptr(), memory.len()) };
        assert_eq!(bytes.part(1, 2).unwrap().to_array(), Some([2, 3]));
        assert_eq!(bytes.part(4, 0).unwrap().len(), 0);
        assert!(bytes.part(3, 2).is_none());
        assert!(bytes.part(5, 0).is_none());
        assert!(bytes.part(2, usize::MAX).is_none());
        assert_eq!(bytes.to_array::<3>(), None);
    }

    #[test]
    fn overlap_is_of_bytes() {
        let mut memory = [0; 8];
        // SAFETY: `memory` outlives `bytes`.
        let bytes = unsafe { Bytes::new(memory.as_mut_ptr(), memory.len()) };
        let part = |from, length| bytes.part(from, length).unwrap();
        assert!(part(0, 4).overlaps(part(3, 4)));
        assert!(part(2, 1).overlaps(part(0, 8)));
        assert!(!part(0, 4).overlaps(part(4, 4)));
        assert!(!part(2, 0).overlaps(part(0, 8)));
    }
}
