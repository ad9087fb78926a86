//! The date of a reply (RFC 9110 §6.6.1).
//!
//! It is written anew once a second.

use http::HeaderValue;
use pingora::protocols::http::date::get_cached_date;
use std::cell::RefCell;
use std::time::SystemTime;

thread_local! {
    /// The second, and how it is written.
    static NOW: RefCell<(u64, HeaderValue)> = const { RefCell::new((u64::MAX, HeaderValue::from_static(""))) };
}

/// Hands over the value of `Date` as it is now.
pub(super) fn with_date<T>(take: impl FnOnce(&HeaderValue) -> T) -> T {
    let second = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    NOW.with_borrow_mut(|(written, value)| {
        if *written != second {
            (*written, *value) = (second, get_cached_date());
        }
        take(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_another_second_is_written_anew() {
        NOW.with_borrow_mut(|(written, value)| (*written, *value) = (1, HeaderValue::from_static("long ago")));
        let date = with_date(HeaderValue::clone);
        assert!(date.to_str().unwrap().ends_with(" GMT"), "{date:?}");
    }
}
