//! Where Chromium differs from the Fetch standard. Found by asking it: `tests/e2e/predictions` of s3cors compares.
//!
//! Decides: which headers Chromium sends without asking although the standard has them asked about, and which it does not send on.

/// Whether Chromium asks for no leave for a header: client hints that it could send by itself, `Intervention`, and `User-Agent`, for
/// which it sends its own. Other browsers ask.
pub(super) fn is_safelisted(name: &str, value: &str) -> bool {
    match name {
        "device-memory" | "downlink" | "dpr" => is_number(value),
        "rtt" | "viewport-width" | "width" => is_digits(value),
        "ect" => matches!(value, "slow-2g" | "2g" | "3g" | "4g"),
        "save-data" => value.eq_ignore_ascii_case("on"),
        "intervention" | "user-agent" => true,
        _ => false,
    }
}

/// Whether Chromium leaves a header out once it was redirected to another origin than the page's, whatever its value: client hints are
/// chosen anew for each server.
pub(super) fn ends_at_redirect(name: &str) -> bool {
    matches!(name, "device-memory" | "downlink" | "dpr" | "ect" | "rtt" | "viewport-width" | "width")
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    match text.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_hints_are_sent_without_asking_if_they_are_valid() {
        for (name, values, others) in [
            ("dpr", &["1", "1.5"][..], &["", "x", "-1", ".5", "1.", "1e3"][..]),
            ("width", &["1"], &["1.5", "-1"]),
            ("ect", &["4g", "slow-2g"], &["4G", "5g"]),
            ("save-data", &["on", "On"], &["off"]),
            ("user-agent", &["anything (at all)"], &[]),
            ("x-a", &[], &["1"]),
        ] {
            assert!(values.iter().all(|value| is_safelisted(name, value)), "{name}: {values:?}");
            assert!(!others.iter().any(|value| is_safelisted(name, value)), "{name}: {others:?}");
        }
    }
}
