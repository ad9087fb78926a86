//! Numbers without a unit.

use super::values::ValueError;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A number of things, which may be none.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A number."))]
pub(super) struct Number(usize);

/// A number for which zero can only be a mistake.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A number, at least 1."))]
pub(super) struct Count(usize);

/// A number of folders, one in another. More than a few can only be a mistake.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A number, at most 8."))]
pub(super) struct Levels(usize);

/// A number of threads.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A number, at least 1."))]
pub(super) struct Threads(#[cfg_attr(test, schemars(with = "u16"))] pub(super) usize);

impl From<Number> for usize {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl From<Count> for usize {
    fn from(count: Count) -> Self {
        count.0
    }
}

impl From<Levels> for usize {
    fn from(levels: Levels) -> Self {
        levels.0
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole { least: 0, most: usize::MAX }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole { least: 1, most: usize::MAX }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole { least: 0, most: 8 }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Threads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole { least: 1, most: u16::MAX.into() }).map(Self)
    }
}

/// Reads a whole number within bounds.
struct Whole {
    least: usize,
    most: usize,
}

impl Whole {
    fn of_text(self, text: &str) -> Result<usize, ValueError> {
        match text.parse::<u64>() {
            Ok(number) => self.of_number(number),
            Err(_) => Err(ValueError::new(text, format!("a number is expected here{}", instead(text)))),
        }
    }

    fn of_number(self, number: u64) -> Result<usize, ValueError> {
        let Self { least, most } = self;
        match usize::try_from(number) {
            Ok(found) if found < least => {
                Err(ValueError::new(&number.to_string(), format!("must be at least {least}")))
            }
            Ok(found) if found <= most => Ok(found),
            _ => Err(ValueError::new(&number.to_string(), format!("must be at most {most}"))),
        }
    }
}

/// The number in digits where a text has another form of it.
fn instead(text: &str) -> String {
    let thousands = text.strip_suffix(['k', 'K']).and_then(|number| number.parse::<u64>().ok()?.checked_mul(1000));
    let grouped = || text.replace(['_', ',', ' ', '\''], "").parse::<u64>().ok();
    thousands.or_else(grouped).map(|number| format!("; write {number}")).unwrap_or_default()
}

impl Visitor<'_> for Whole {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<usize, E> {
        self.of_number(number).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<usize, E> {
        let below = |_| ValueError::new(&number.to_string(), format!("must be at least {}", self.least));
        u64::try_from(number).map_err(below).and_then(|number| self.of_number(number)).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<usize, E> {
        self.of_text(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_digits() {
        for (text, expected) in [
            ("7", Ok(7)),
            ("65535", Ok(65_535)),
            ("0", Err("at least 1")),
            ("65536", Err("at most 65535")),
            ("-1", Err("a number is expected here")),
            ("10k", Err("write 10000")),
            ("10_000", Err("write 10000")),
            ("1,000", Err("write 1000")),
            ("auto", Err("leave the key out")),
            ("${THREADS}", Err("nothing replaces ${THREADS}")),
            ("", Err("a number is expected here")),
            ("99999999999999999999", Err("a number is expected here")),
        ] {
            let read = Whole { least: 1, most: u16::MAX.into() }.of_text(text).map_err(|error| error.to_string());
            match expected {
                Ok(number) => assert_eq!(read, Ok(number), "{text}"),
                Err(said) => assert!(read.as_ref().is_err_and(|error| error.contains(said)), "{text}: {read:?}"),
            }
        }
    }
}
