//! One program: each of its own would be linked with, and make code of, all of the library again.
mod common;
mod extensions;
mod limits;
mod loopback;
mod third_party;
mod vectors_cases;
mod vectors_handshake;
mod vectors_records;
mod vectors_yellowpages;
mod yellowpages_cases;
