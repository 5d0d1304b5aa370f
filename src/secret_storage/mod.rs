//! Secret storage (4S, `m.secret_storage.v1.aes-hmac-sha2`): its keys and the secrets in it.
//!
//! Pure: descriptions and ciphertexts come from account data that somebody else fetched.

pub mod key;
pub mod secret;
