//! Loops through this proxy, by the entries that it leaves in `Via` (RFC 9110 §7.6.3).
//!
//! An upstream can lead back here by a name, a load balancer or another proxy, and then one request becomes thousands.

/// The line that each forwarded request gets. The version is always the same: the name is what counts.
pub(super) const LINE: (&str, [&str; 3]) = ("Via", ["1.1 ", PSEUDONYM, ""]);

/// The name of this proxy in `Via`. No address: where it runs is no one's business.
const PSEUDONYM: &str = "s3cors";

/// The most proxies of this name before one. A chain of several is legal (a sidecar behind an edge), and no one has six in a row.
const MOST: u8 = 5;

/// The passages of a request through proxies of this name, as its `Via` lines count them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passages {
    count: u8,
    is_there: bool,
}

impl Passages {
    /// Counts the entries of one `Via` line: a version, a name, and perhaps a comment.
    pub(super) fn add(&mut self, value: &[u8]) {
        self.is_there = true;
        let names = value.split(|byte| *byte == b',').filter_map(|entry| {
            entry.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).nth(1)
        });
        let own = names.filter(|name| name.eq_ignore_ascii_case(PSEUDONYM.as_bytes())).count();
        self.count = self.count.saturating_add(u8::try_from(own).unwrap_or(u8::MAX));
    }

    /// Returns true if the request has a `Via` of its own, which it may sign.
    pub(super) const fn is_there(self) -> bool {
        self.is_there
    }

    /// Returns true if the request has been here too often.
    pub(super) const fn is_loop(self) -> bool {
        self.count > MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_passage_is_a_loop() {
        let five = "1.1 s3cors, 1.1 s3cors, 1.1 s3cors, 1.1 s3cors, 1.1 s3cors";
        for (lines, is_loop) in [
            (&[][..], false),
            (&[five], false),
            (&[five, "1.1 nginx"], false),
            (&[five, "1.1 s3cors"], true),
            (&[five, "1.1 varnish, 2.0 S3CORS (edge)"], true),
            (&[five, "HTTP/1.1\t s3cors"], true),
            (&[five, "1.1 s3cors.example.com"], false),
            (&[five, "1.1 s3cors:8080"], false),
            (&[five, "s3cors"], false),
            (&[five, "1.1 a (s3cors)"], false),
            (&[five, ", ,"], false),
            (&[five, five, five], true),
        ] {
            let mut passages = Passages::default();
            lines.iter().for_each(|line| passages.add(line.as_bytes()));
            assert_eq!((passages.is_loop(), passages.is_there()), (is_loop, !lines.is_empty()), "{lines:?}");
        }
        let mut many = Passages::default();
        (0..100).for_each(|_| many.add(five.as_bytes()));
        assert!(many.is_loop(), "the count stays at its end");
    }
}
