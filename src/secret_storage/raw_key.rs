//! 32 bytes written as text in one of the ways that clients and people have used.

use zeroize::Zeroizing;

use crate::base::{base64, secret::Secret32};

/// Reads a key of 32 bytes: base64 in any spelling, base64 of that base64, 64 digits of hex, or the
/// decimal bytes between commas that an old js-sdk once stored by mistake (SPEC §4, §5.5, §12.2).
/// `None` for any other text.
pub fn parse(text: &str) -> Option<Secret32> {
    let text = text.trim();
    let mut key = if text.contains(',') {
        decimal_bytes(text)?
    } else {
        base64::decode_key(text).or_else(|| hex_bytes(text))?
    };
    Some(Secret32::take(&mut key))
}

fn decimal_bytes(text: &str) -> Option<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let mut numbers = text.trim_start_matches('[').trim_end_matches(']').split(',');
    for byte in key.iter_mut() {
        *byte = numbers.next()?.trim().parse().ok()?;
    }
    numbers.next().is_none().then_some(*key)
}

fn hex_bytes(text: &str) -> Option<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let mut digits = text.chars().filter(|character| !character.is_whitespace());
    for byte in key.iter_mut() {
        let mut digit = || digits.next()?.to_digit(16);
        *byte = u8::try_from(digit()? << 4 | digit()?).ok()?;
    }
    digits.next().is_none().then_some(*key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_gives_the_same_key() {
        let bytes: Vec<u8> = (200..232).collect();
        let plain = base64::encode(&bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let decimal: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for text in [
            plain.clone(),
            format!("{plain}="),
            format!(" {plain}\n"),
            plain.replace('+', "-").replace('/', "_"),
            base64::encode(plain.as_bytes()),
            base64::encode(format!("{plain}=").as_bytes()),
            hex.clone(),
            hex.to_uppercase(),
            format!("{} {}", &hex[..32], &hex[32..]),
            decimal.join(","),
            decimal.join(", "),
            format!("[{}]", decimal.join(",")),
        ] {
            assert_eq!(
                parse(&text).map(|key| key.expose().to_vec()),
                Some(bytes.clone()),
                "{text}"
            );
        }
        for text in ["", "correct horse battery", &plain[..42], &hex[..62], "1,2,3", "💥"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
