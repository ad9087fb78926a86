//! What a warning says, and what to write instead.

use super::super::lint::LONGEST_MAX_AGE;
use super::super::lint::meant::meant_origin;
use super::{Concern, Missing, NeverSent, TooWide};
use crate::placeholder::placeholder;
use std::borrow::Cow;

impl Concern {
    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Self::OriginNeverMatches { origin, why } => {
                format!("AllowedOrigin {origin:?} never matches a browser: {}", why.as_str()).into()
            }
            Self::OriginTooWide { origin, why } => {
                format!("AllowedOrigin {origin:?} {}, and S3 grants credentials to each", why.as_str()).into()
            }
            Self::InsecureOrigin { origin } => {
                let uses = if origin.starts_with("http://") { "uses plain http" } else { "matches plain http too" };
                format!("AllowedOrigin {origin:?} {uses}: anyone on the network path can impersonate it").into()
            }
            Self::RuleNeverReached { rule, earlier } => {
                format!("rule {rule} is never reached: rule {earlier} matches every request that it would").into()
            }
            Self::RuleTakenByEarlier { rule, earlier } => {
                let earlier = list(earlier.iter().map(usize::to_string));
                format!("rule {rule} is never reached: rules {earlier} together match every request that it would")
                    .into()
            }
            Self::MaxAgeOutOfRange(seconds) => {
                format!("MaxAgeSeconds {seconds}: browsers ignore a negative one and cap at {LONGEST_MAX_AGE} or less")
                    .into()
            }
            Self::UploadHeadersNotAllowed(headers) => {
                let headers = list(headers.iter());
                format!("a rule for uploads that does not allow {headers}: clients send them with an upload").into()
            }
            Self::HeaderMisspelt { header, meant } => format!("header {header:?} is close to {meant}").into(),
            Self::ProfileNotServed { profile, step, option, origin, missing } => {
                let with = option.map(|option| format!(" with {option}")).unwrap_or_default();
                format!("{profile}{with} cannot {step} from {origin:?}: {}", missing.message()).into()
            }
            Self::OriginLikeExample { origin, label } => {
                format!("AllowedOrigin {origin:?}: {label} looks like a placeholder that was not filled in").into()
            }
            Self::DefaultPortNotMatched { origin } => {
                let portless = without_port(origin);
                format!(
                    "AllowedOrigin {origin:?} does not match {portless:?}: browsers leave out the scheme's own port"
                )
                .into()
            }
            fixed => fixed.fixed_message().into(),
        }
    }

    /// The message of a concern without values.
    const fn fixed_message(&self) -> &'static str {
        match self {
            Self::OriginNull => {
                "AllowedOrigin \"null\" is the origin of every sandboxed frame and data: URL, of any site"
            }
            Self::EtagNotExposed => {
                "a rule for uploads that does not expose ETag: a page cannot finish a multipart upload without it"
            }
            Self::AnyOriginBesideNamed => {
                "AllowedOrigin \"*\" beside others: S3 then grants the others no credentials either"
            }
            Self::ChecksumsNotExposed => {
                "a rule for uploads that exposes no checksum: an SDK repeats each part's to finish a multipart upload"
            }
            Self::ContentRangeNotExposed => {
                "a rule for reading ranges that does not expose Content-Range: a page cannot tell which part it has"
            }
            Self::RangeNotAllowed => {
                "a rule for reading ranges that does not allow Range: browsers ask before they read an object's end"
            }
            _ => "",
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint: Cow<'static, str> = match self {
            Self::OriginNeverMatches { origin, why } => why.hint(origin),
            Self::OriginTooWide { origin, why } => why.hint(origin),
            Self::OriginNull => "list the origins that need access".into(),
            Self::InsecureOrigin { .. } => "use https".into(),
            Self::OriginLikeExample { label, .. } => format!("write your own name in the place of {label}").into(),
            Self::DefaultPortNotMatched { origin } => format!("add {} if it is meant too", without_port(origin)).into(),
            Self::EtagNotExposed => "add ETag to the exposed headers".into(),
            Self::RuleNeverReached { earlier, .. } => format!("remove it, or move it before rule {earlier}").into(),
            Self::RuleTakenByEarlier { earlier, .. } => {
                let first = earlier.first().copied().unwrap_or(1);
                format!("remove it, or move it before rule {first}").into()
            }
            Self::MaxAgeOutOfRange(_) => format!("write 0 to {LONGEST_MAX_AGE}").into(),
            Self::AnyOriginBesideNamed => "remove *, or put it into a rule of its own after this one".into(),
            Self::UploadHeadersNotAllowed(_) => "add them to the allowed headers, or allow *".into(),
            Self::ChecksumsNotExposed => "add x-amz-checksum-crc32 to the exposed headers".into(),
            Self::ContentRangeNotExposed => "add Content-Range to the exposed headers".into(),
            Self::RangeNotAllowed => "add Range to the allowed headers".into(),
            Self::HeaderMisspelt { meant, .. } => format!("write {meant}").into(),
            Self::ProfileNotServed { missing, .. } => missing.hint(),
        };
        Some(hint)
    }
}

/// The origin of the scheme's own port.
fn without_port(origin: &str) -> &str {
    origin.rsplit_once(':').map_or(origin, |(origin, _)| origin)
}

impl NeverSent {
    /// Returns the hint, with the value that was meant where it is known.
    fn hint(self, origin: &str) -> Cow<'static, str> {
        let meant = || meant_origin(origin).map(|meant| format!("write {meant}").into());
        match self {
            Self::Placeholder => {
                let found = placeholder(origin).unwrap_or(origin);
                format!("write the origin that {found} stands for").into()
            }
            Self::Empty => "write an origin, such as https://app.example".into(),
            Self::NoScheme => meant().unwrap_or_else(|| "write its scheme, host and port".into()),
            Self::NotAscii if origin.matches("://").count() > 1 => {
                "white space does not separate values: write one AllowedOrigin for each".into()
            }
            Self::NotAscii if origin.is_ascii() && !origin.trim().contains(char::is_whitespace) => {
                format!("write {}, without white space around it", origin.trim()).into()
            }
            Self::NotAscii => meant().unwrap_or_else(|| "write the host in punycode, without spaces".into()),
            Self::Path | Self::Query => "remove everything after the host and port".into(),
            Self::UpperCase => meant().unwrap_or_else(|| format!("write {}", origin.to_ascii_lowercase()).into()),
            Self::DefaultPort => "remove the port".into(),
            Self::List => "a comma does not separate values: write one AllowedOrigin for each".into(),
            Self::Several => "write one AllowedOrigin for each".into(),
            Self::RegularExpression => {
                "write the origins; the only wildcard is *, once in a value, for any text".into()
            }
            Self::Scheme => meant().unwrap_or_else(|| "write https://".into()),
            // The user name may be a secret.
            Self::User => "remove the user name and the @ after it".into(),
            Self::Host => meant().unwrap_or_else(|| "write the host as the browser's address bar shows it".into()),
            Self::Port => "write a port from 1 to 65535, or none".into(),
        }
    }
}

impl TooWide {
    fn hint(self, origin: &str) -> Cow<'static, str> {
        match (self, origin.split_once('*')) {
            (Self::NoDot, Some((before, after))) if before.ends_with("://") => {
                format!("write {before}*.{after}, which does not match {before}{after} itself").into()
            }
            (Self::SharedSuffix, Some(_)) => {
                "list your own sites, or write a dot and a domain of yours after the wildcard".into()
            }
            _ => "write a dot and your domain after the wildcard".into(),
        }
    }
}

impl Missing {
    fn message(&self) -> String {
        match self {
            Self::Origin => "no browser sends this origin".to_owned(),
            Self::Method(method) => format!("{method} is not allowed"),
            Self::AllowedHeaders(headers) => format!("{} not allowed", list(headers.iter())),
            Self::ExposeHeaders(headers) => format!("{} not exposed", list(headers.iter())),
        }
    }

    fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Origin => "correct the origins of the rules".into(),
            Self::Method(method) => format!("add {method} to the allowed methods").into(),
            Self::AllowedHeaders(headers) => format!("add {} to the allowed headers", list(headers.iter())).into(),
            Self::ExposeHeaders(headers) => format!("add {} to the exposed headers", list(headers.iter())).into(),
        }
    }
}

fn list(values: impl Iterator<Item = impl ToString>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}
