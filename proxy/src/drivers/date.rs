//! The date of a reply (RFC 9110 §6.6.1).
//!
//! It is written anew once a second. The clock that is asked is as coarse as the system's ticks, and costs a quarter of the exact one.

use http::HeaderValue;
use pingora::protocols::http::date::get_cached_date;
use rustix::time::{ClockId, clock_gettime};
use std::cell::RefCell;

thread_local! {
    /// The second, and how it is written.
    static NOW: RefCell<(i64, HeaderValue)> = const { RefCell::new((0, HeaderValue::from_static(""))) };
}

/// Hands over the value of `Date` as it is now.
pub(super) fn with_date<T>(take: impl FnOnce(&HeaderValue) -> T) -> T {
    let second = clock_gettime(ClockId::RealtimeCoarse).tv_sec;
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
