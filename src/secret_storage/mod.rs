//! Secret storage (4S): its keys and the secrets in it. `m.secret_storage.v1.aes-hmac-sha2` is what
//! clients use; `m.secret_storage.v1.curve25519-aes-sha2`, of early 2020, is read too.
//!
//! What a passphrase may have been, too: its spellings, and guesses from a list.
//!
//! Pure: descriptions and ciphertexts come from account data that somebody else fetched.

pub mod guesses;
pub mod key;
pub mod raw_key;
pub mod secret;
pub mod spellings;
