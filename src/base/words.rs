//! Figures and times as people read them (SCREENS §2), and the signs of a terminal that has ASCII only.

use jiff::{Timestamp, tz::TimeZone};

use super::shown::{Shown, grouped};

/// A number with its noun, in singular or plural: “1 key”, “2 keys”, “no keys”.
pub fn counted(number: u64, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", grouped(number)),
    }
}

/// Things in a row: “a”, “a and b”, “a, b and c”.
pub fn listed(things: &[String]) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A size in powers of ten.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A length of time: one unit, two below an hour.
pub fn length(seconds: u64) -> String {
    match seconds {
        0 => "a moment".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h", grouped(seconds / 3_600)),
    }
}

/// An estimate, rounded to what can be known.
pub fn about(seconds: u64) -> String {
    const STEPS: [u64; 12] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1_200];
    let rounded = STEPS.into_iter().find(|step| *step >= seconds);
    match rounded {
        _ if seconds == 0 => "a moment".to_owned(),
        Some(rounded) => format!("about {}", length(rounded)),
        None => format!("about {} min", grouped(seconds.div_ceil(60).next_multiple_of(10))),
    }
}

/// How fast something goes, from how often it happens in ten seconds: below ten in a second to a tenth.
pub fn pace(in_ten_seconds: u64) -> String {
    match in_ten_seconds {
        0..100 => format!("{}.{} per second", in_ten_seconds / 10, in_ten_seconds % 10),
        _ => format!("{} per second", grouped(in_ten_seconds / 10)),
    }
}

/// How long ago something was.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0);
    let (number, unit) = match seconds {
        0..60 => return "a moment ago".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..5_184_000 => (seconds / 86_400, "day"),
        5_184_000..63_072_000 => (seconds / 2_628_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{} ago", counted(number, unit))
}

/// A point in time: under a day how long ago it was, else the day and the time, too.
pub fn when(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let relative = ago(then, now);
    if now.duration_since(then).as_secs() < 86_400 {
        return relative;
    }
    let zoned = zone.to_datetime(then);
    let (hour, minute) = (zoned.hour(), zoned.minute());
    format!("{relative} ({}, {hour:02}:{minute:02})", date(then, zone))
}

/// A day.
pub fn date(then: Timestamp, zone: &TimeZone) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let zoned = zone.to_datetime(then);
    let month = usize::try_from(zoned.month()).ok().and_then(|month| MONTHS.get(month - 1));
    format!("{} {} {}", zoned.day(), month.unwrap_or(&""), zoned.year())
}

/// A day with its name, as a heading over what happened on it.
pub fn day(then: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(then).strftime("%A, %-d %B %Y").to_string()
}

/// A character of a recovery key with its name, because shapes deceive.
pub fn letter(character: char) -> String {
    const DIGITS: [&str; 10] =
        ["zero", "one (digit)", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let name = match character {
        c if c.is_ascii_digit() => {
            let digit = c.to_digit(10).and_then(|digit| DIGITS.get(digit as usize));
            digit.copied().unwrap_or_default().to_owned()
        }
        c if c.is_ascii_uppercase() => format!("capital {c}"),
        c if c.is_ascii_lowercase() => format!("small {c}"),
        c => return format!("“{}”", Shown::new(&c.to_string())),
    };
    format!("{character} “{name}”")
}

/// Text in plain ASCII signs (SCREENS §3), each at most as wide as before but for the sign of a cut.
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => plain.push_str("..."),
            '–' => plain.push('-'),
            '·' | '│' => plain.push('|'),
            '“' | '”' => plain.push('"'),
            '’' => plain.push('\''),
            '✓' => plain.push_str("ok"),
            '✗' => plain.push_str("no"),
            '•' => plain.push('*'),
            '↳' => plain.push_str(">>"),
            '▸' => plain.push('>'),
            '↑' => plain.push('^'),
            '↓' => plain.push('v'),
            '→' => plain.push_str("->"),
            '←' => plain.push_str("<-"),
            '─' => plain.push('-'),
            '═' => plain.push('='),
            '║' => plain.push('#'),
            '┌' | '┐' | '└' | '┘' => plain.push('+'),
            '╔' | '╗' | '╚' | '╝' => plain.push('#'),
            '█' => plain.push('#'),
            '░' => plain.push('.'),
            ascii if ascii.is_ascii() => plain.push(ascii),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_aloud_easily() {
        assert_eq!(counted(0, "key"), "no keys");
        assert_eq!(counted(1, "key"), "1 key");
        assert_eq!(counted(18_420, "key"), "18 420 keys");
        assert_eq!(
            [size(999), size(842_000), size(15_500_000)],
            ["999 bytes", "842 kB", "15.5 MB"]
        );
        assert_eq!([length(0), length(42), length(380)], ["a moment", "42 s", "6 min 20 s"]);
        assert_eq!([about(4), about(7), about(41)], ["about 5 s", "about 10 s", "about 1 min"]);
        assert_eq!(about(3_000), "about 50 min");
        assert_eq!(
            [pace(3), pace(71), pace(12_345)],
            ["0.3 per second", "7.1 per second", "1 234 per second"]
        );
    }

    #[test]
    fn characters_have_names() {
        assert_eq!(letter('0'), "0 “zero”");
        assert_eq!(letter('1'), "1 “one (digit)”");
        assert_eq!(letter('L'), "L “capital L”");
        assert_eq!(letter('o'), "o “small o”");
        assert_eq!(letter('\u{1b}'), "“␛”");
    }

    #[test]
    fn times_are_near_or_exact() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let at = |text: &str| when(text.parse().unwrap(), now, &TimeZone::UTC);
        assert_eq!(at("2026-11-24T11:58:00Z"), "2 minutes ago");
        assert_eq!(at("2026-11-24T12:00:30Z"), "a moment ago");
        assert_eq!(at("2026-11-20T19:12:00Z"), "3 days ago (20 Nov 2026, 19:12)");
        assert_eq!(at("2023-11-12T18:04:00Z"), "3 years ago (12 Nov 2023, 18:04)");
        assert_eq!(day(now, &TimeZone::UTC), "Tuesday, 24 November 2026");
    }
}
