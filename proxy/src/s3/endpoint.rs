//! Amazon's own endpoints, which people have URLs of: the bucket in the host is known without a setting.

use super::domain::host_name;

const SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
/// The most labels between the service and the suffix: `dualstack` and a region.
const MAX_AFTER: usize = 2;

/// Returns the bucket in a host of Amazon S3, and the domain that it is below (S3 user guide, virtual hosting of buckets). `None` for
/// hosts of others, and for path-style URLs.
#[must_use]
pub fn bucket_of_amazon(host: &str) -> Option<(String, String)> {
    let name = host_name(host).to_ascii_lowercase();
    let before = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix))?;
    let is_service = |label: &str| label == "s3" || label.starts_with("s3-");
    let labels: Vec<_> = before.split('.').collect();
    let service = labels.iter().rposition(|label| is_service(label))?;
    let (bucket, rest) = labels.split_at_checked(service)?;
    let is_endpoint = !bucket.is_empty() && rest.len() <= MAX_AFTER + 1;
    let bucket = bucket.join(".");
    let domain = name.get(bucket.len() + 1..)?.to_owned();
    is_endpoint.then_some((bucket, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_amazon_names_its_bucket() {
        for (host, expected) in [
            ("avatars.s3.eu-west-1.amazonaws.com", Some(("avatars", "s3.eu-west-1.amazonaws.com"))),
            ("avatars.s3.amazonaws.com:443", Some(("avatars", "s3.amazonaws.com"))),
            ("Avatars.S3.Amazonaws.com", Some(("avatars", "s3.amazonaws.com"))),
            ("avatars.s3-us-west-2.amazonaws.com", Some(("avatars", "s3-us-west-2.amazonaws.com"))),
            ("avatars.s3.dualstack.eu-west-1.amazonaws.com", Some(("avatars", "s3.dualstack.eu-west-1.amazonaws.com"))),
            ("avatars.s3-accelerate.amazonaws.com", Some(("avatars", "s3-accelerate.amazonaws.com"))),
            ("avatars.s3.cn-north-1.amazonaws.com.cn", Some(("avatars", "s3.cn-north-1.amazonaws.com.cn"))),
            ("www.example.com.s3.eu-west-1.amazonaws.com", Some(("www.example.com", "s3.eu-west-1.amazonaws.com"))),
            ("my.s3.files.s3.amazonaws.com", Some(("my.s3.files", "s3.amazonaws.com"))),
            ("s3.eu-west-1.amazonaws.com", None),
            ("s3.amazonaws.com", None),
            ("avatars.s3.example.com", None),
            ("ec2.eu-west-1.amazonaws.com", None),
            ("avatars.s3.eu-west-1.amazonaws.com.evil.example", None),
            ("", None),
        ] {
            let found = bucket_of_amazon(host);
            assert_eq!(found.as_ref().map(|(bucket, domain)| (&**bucket, &**domain)), expected, "{host}");
        }
    }
}
