//! Durations of the command line: `10s`, `500ms`, `2m`, `1h`. A number without a unit is in seconds.

use std::time::Duration;

/// A year, so that no deadline overflows the clock.
const MAX: Duration = Duration::from_secs(8760 * 60 * 60);

/// Reads a duration that is not zero and not longer than a year.
///
/// # Errors
/// With the reason, which clap prints.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("unknown unit `{unit}`: use ms, s, m or h")),
    };
    let seconds: f64 = number
        .parse()
        .map_err(|_| "not a number: write `10s`, `500ms`, `2m`".to_owned())?;
    match Duration::try_from_secs_f64(seconds * factor) {
        Ok(duration) if duration.is_zero() => Err("must be more than zero".to_owned()),
        Ok(duration) if duration <= MAX => Ok(duration),
        _ => Err("out of range: at most 8760h".to_owned()),
    }
}

/// A duration for messages: `38 ms`, `4.1 s`, `2 min 5 s`.
pub fn show(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else if milliseconds < 60_000 {
        format!("{:.1} s", duration.as_secs_f64()).replace(".0 s", " s")
    } else {
        let seconds = duration.as_secs();
        match (seconds / 60, seconds % 60) {
            (minutes, 0) => format!("{minutes} min"),
            (minutes, seconds) => format!("{minutes} min {seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows() {
        for (text, milliseconds, shown) in [
            ("10s", 10_000, "10 s"),
            ("10", 10_000, "10 s"),
            ("500ms", 500, "500 ms"),
            ("1.5s", 1500, "1.5 s"),
            ("2m", 120_000, "2 min"),
            ("0.1h", 360_000, "6 min"),
            ("125s", 125_000, "2 min 5 s"),
            ("8760h", 31_536_000_000, "525600 min"),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!(duration.as_millis(), milliseconds, "{text}");
            assert_eq!(show(duration), shown, "{text}");
        }
        for text in ["", "0", "0s", "-1s", "s", "1d", "1 s", "1e3s", "..5s"] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in ["8760.1h", "4000000000000000h", "99999999999999999999999h"] {
            assert_eq!(parse(text).unwrap_err(), "out of range: at most 8760h", "{text}");
        }
    }
}
