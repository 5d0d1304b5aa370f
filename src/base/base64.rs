//! Base64 as Matrix uses it: written unpadded, read leniently (SPEC conventions, §11.1).
//!
//! Real clients write padding or not, line breaks, the url-safe alphabet and non-zero spare bits;
//! vodozemac's strict decoder refuses those, so every reader here goes through [`decode`].

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Encodes without padding, in the standard alphabet.
pub fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// Encodes with padding, where a format asks for it.
pub fn encode_padded(bytes: &[u8]) -> String {
    let mut text = encode(bytes);
    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
    text
}

/// Decodes; padding, white space, url-safe letters and spare bits do not matter.
/// `None` where other characters occur or a character is missing.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if let Ok(bytes) = ENGINE.decode(text) {
        return Some(bytes);
    }
    ENGINE.decode(plain_letters(text).as_bytes()).ok()
}

/// Decodes into a buffer of known size; the same leniency, no allocation in the usual case.
/// `None` also when the length differs.
pub fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut buffer = Zeroizing::new([0; N]);
    match ENGINE.decode_slice(text, &mut buffer[..]) {
        Ok(length) if length == N => Some(*buffer),
        _ => {
            let bytes = Zeroizing::new(decode(text)?);
            bytes.as_slice().try_into().ok()
        }
    }
}

/// Decodes a key of 32 bytes, also where somebody encoded it twice (SPEC §12.2).
pub fn decode_key(text: &str) -> Option<[u8; 32]> {
    decode_exact(text).or_else(|| {
        let inner = Zeroizing::new(decode(text)?);
        decode_exact(str::from_utf8(&inner).ok()?)
    })
}

fn plain_letters(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    for letter in text.chars() {
        match letter {
            '-' => plain.push('+'),
            '_' => plain.push('/'),
            '=' => {}
            space if space.is_whitespace() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_write() {
        for text in ["+/8", "+/8=", "-_8", " +/ 8\n", "+/9"] {
            assert_eq!(decode(text).as_deref(), Some(&[0xfb, 0xff][..]), "{text:?}");
            assert_eq!(decode_exact::<2>(text), Some([0xfb, 0xff]), "{text:?}");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8");
    }

    #[test]
    fn refuses_what_is_no_base64() {
        for text in ["a", "ab!d", "ä"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
        assert_eq!(decode_exact::<3>("+/8"), None);
        assert_eq!(decode_exact::<1>("+/8"), None);
    }
}
