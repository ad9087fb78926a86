//! Public objects that pages of every origin can read: what `sign` opens together with rules that allow `*`.
//!
//! Decides by the rules at one moment. Must not know: who is warned.

use super::snapshot::{Bucket, Snapshot};
use crate::config::{SignWarning, SignedPrefix};
use s3_cors::{AllowedMethod, CorsRule, OriginPattern};

/// A warning for each public prefix whose bucket's rules allow every origin to read.
#[must_use]
pub fn any_page_reads(sign: &[SignedPrefix], live: &Snapshot) -> Vec<SignWarning> {
    let public = sign.iter().filter(|entry| entry.is_public());
    let open = public.filter(|entry| allows_any_page(live.bucket(Some(&entry.bucket))));
    let warning = |entry: &SignedPrefix| SignWarning::AnyPage {
        bucket: entry.bucket.clone(),
        prefix: entry.prefix.clone(),
        is_by_default: live.own(&entry.bucket).is_none(),
    };
    open.map(warning).collect()
}

/// Returns true if a rule lets every origin read objects.
fn allows_any_page(bucket: &Bucket) -> bool {
    let is_read = |method: &AllowedMethod| matches!(method, AllowedMethod::Get | AllowedMethod::Head);
    let is_open = |rule: &CorsRule| {
        rule.allowed_origins().iter().any(OriginPattern::is_any) && rule.allowed_methods().iter().any(is_read)
    };
    bucket.configuration().is_some_and(|configuration| configuration.rules().iter().any(is_open))
}

#[cfg(test)]
mod tests {
    use super::super::source::Directory;
    use super::super::store::Store;
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use s3_cors::Credentials;
    use std::path::Path;

    #[test]
    fn only_public_objects_whose_rules_allow_every_origin_to_read_are_warned_of() {
        let directory = tempfile::tempdir().unwrap();
        for (name, origin, method) in [
            ("open", "*", "GET"),
            ("heads", "*", "HEAD"),
            ("uploads", "*", "PUT"),
            ("named", "https://app.example", "GET"),
            ("pattern", "https://*.example", "GET"),
        ] {
            let document = format!(r#"[{{"AllowedOrigins": ["{origin}"], "AllowedMethods": ["{method}"]}}]"#);
            std::fs::write(directory.path().join(format!("{name}.json")), document).unwrap();
        }
        let warned = |sign: &str| {
            let file = ConfigFile::parse(&format!("sign: {sign}\n"), Path::new("f")).unwrap();
            let sign = Config::merge(Flags::default(), file).0.sign;
            let store = Store::of(Box::new(Directory::new(directory.path().into())), Credentials::S3).unwrap();
            let warnings = any_page_reads(&sign, &store.live());
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for (sign, said) in [
            ("{bucket: open}", Some("everyone can read bucket open, and its rules allow every origin")),
            ("{bucket: open, prefix: docs/}", Some("everyone can read docs/ of bucket open, and its rules")),
            ("{bucket: heads}", Some("bucket heads")),
            ("{bucket: open, when: granted}", None),
            ("{bucket: uploads}", None),
            ("{bucket: named}", None),
            ("{bucket: pattern}", None),
            ("{bucket: without}", None),
        ] {
            let warnings = warned(sign);
            assert_eq!(warnings.len(), usize::from(said.is_some()), "{sign}: {warnings:#?}");
            assert!(said.is_none_or(|said| warnings[0].contains(said)), "{sign}: {warnings:#?}");
        }
        let default = r#"[{"AllowedOrigins": ["https://a", "*"], "AllowedMethods": ["PUT", "GET"]}]"#;
        std::fs::write(directory.path().join("_default.json"), default).unwrap();
        let warnings = warned("[{bucket: without}, {bucket: named}, {bucket: open}]");
        assert_eq!(warnings.len(), 2, "{warnings:#?}");
        assert!(warnings[0].contains("bucket without, and the default rules allow every origin"), "{warnings:#?}");
        assert!(warnings[1].contains("bucket open, and its rules"), "{warnings:#?}");
    }
}
