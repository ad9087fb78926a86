//! Names that a bucket can have.

/// Returns true for a name that some server lets a bucket have. S3 allows lower case and no underscore (user guide, bucket naming rules);
/// its oldest buckets and other servers have both, and Ceph puts a tenant before a colon.
#[must_use]
pub fn is_bucket_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    let ends_well = [name.bytes().next(), name.bytes().next_back()].iter().flatten().all(u8::is_ascii_alphanumeric);
    (3..=63).contains(&name.len()) && ends_well && name.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_a_name_that_some_server_takes() {
        for (name, may_be) in [
            ("photos", true),
            ("my.photos-2026", true),
            ("Old_Photos", true),
            ("tenant:photos", true),
            ("", false),
            ("a", false),
            ("photos backup", false),
            ("photos-", false),
            (".photos", false),
            ("_default", false),
            ("../photos", false),
            ("...", false),
            ("a/b", false),
            ("фото", false),
        ] {
            assert_eq!(is_bucket_name(name), may_be, "{name}");
        }
        assert!(is_bucket_name(&"a".repeat(63)) && !is_bucket_name(&"a".repeat(64)));
    }
}
