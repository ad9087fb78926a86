use super::*;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 2026-12-01T04:50:07Z
fn now() -> SystemTime {
    at(1_796_100_607)
}

fn keys(session_token: Option<&str>) -> AccessKeys<'_> {
    AccessKeys { id: ID, secret: SECRET, session_token }
}

fn lines(signer: &ReadSigner, read: &SignedTarget<'_>, now: SystemTime) -> String {
    let mut lines = Vec::new();
    signer.sign(read, now, |piece| lines.extend_from_slice(piece));
    String::from_utf8(lines).unwrap()
}

/// The lines with which Amazon's own signer signs a read of this path.
fn expected(read: &SignedTarget<'_>, path: &str, token: Option<&str>, now: SystemTime) -> String {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let identity = Credentials::new(ID, SECRET, token.map(str::to_owned), None, "test").into();
    let parameters = v4::SigningParams::builder().identity(&identity).region("eu-west-3").name("s3");
    let parameters = parameters.time(now).settings(settings).build().unwrap().into();
    let url = format!("http://{}{path}", read.authority);
    let signable = SignableRequest::new(read.method, url, std::iter::empty(), SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    let value = |wanted: &str| instructions.headers().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let names = ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "authorization"];
    names.iter().filter_map(|name| Some(format!("{name}: {}\r\n", value(name)?))).collect()
}

#[test]
fn a_read_is_signed_as_amazon_signs_it() {
    for (raw_key, canonical) in [
        ("a", "a"),
        ("video/7/master.m3u8", "video/7/master.m3u8"),
        ("a b", "a%20b"),
        ("a%20b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("a%2bb", "a%2Bb"),
        ("Grüße/日本.txt", "Gr%C3%BC%C3%9Fe/%E6%97%A5%E6%9C%AC.txt"),
        ("Gr%c3%bc%C3%9fe", "Gr%C3%BC%C3%9Fe"),
        ("a%2Fb", "a/b"),
        ("%61%7E%2d", "a~-"),
        ("!*'()", "%21%2A%27%28%29"),
        ("%21%2a%27%28%29", "%21%2A%27%28%29"),
        ("a:b;c,d=e@f&g$h", "a%3Ab%3Bc%2Cd%3De%40f%26g%24h"),
        ("100%", "100%25"),
        ("100%2", "100%252"),
        ("100%zz", "100%25zz"),
        ("%2541", "%2541"),
        ("a//b/", "a//b/"),
        ("%00%ff", "%00%FF"),
        ("", ""),
        (&"x".repeat(1_024), &"x".repeat(1_024)),
        (&"ä".repeat(512), &"%C3%A4".repeat(512)),
    ] {
        for (method, token, authority) in [
            ("GET", None, "127.0.0.1:9000"),
            ("HEAD", Some(TOKEN), "s3.example.com"),
            ("GET", Some(TOKEN), "[::1]:9000"),
        ] {
            let read = SignedTarget { method, authority, bucket: "my.bucket-1", raw_key };
            let signer = ReadSigner::new(keys(token), "eu-west-3", None).unwrap();
            let path = format!("/my.bucket-1/{canonical}");
            assert_eq!(lines(&signer, &read, now()), expected(&read, &path, token, now()), "{method} {raw_key}");
        }
    }
}

#[test]
fn each_day_has_its_own_key_and_each_second_its_own_date() {
    let signer = ReadSigner::new(keys(None), "eu-west-3", None).unwrap();
    let read = SignedTarget { method: "GET", authority: "s3.example.com", bucket: "bucket", raw_key: "key" };
    for (seconds, date) in [
        (1_796_100_607, "20261201T045007Z"),
        (1_796_169_599, "20261201T235959Z"),
        (1_796_169_600, "20261202T000000Z"),
        // A clock that was set back signs for the day before.
        (1_796_169_599, "20261201T235959Z"),
        (951_782_400, "20000229T000000Z"),
        (0, "19700101T000000Z"),
        (253_402_300_799, "99991231T235959Z"),
    ] {
        let signed = lines(&signer, &read, at(seconds));
        assert!(signed.starts_with(&format!("x-amz-date: {date}\r\n")), "{signed}");
        assert!(signed.contains(&format!("Credential={ID}/{}/eu-west-3/s3/aws4_request, ", &date[..8])), "{signed}");
        assert_eq!(signed, expected(&read, "/bucket/key", None, at(seconds)));
    }
}

#[test]
fn one_key_serves_the_whole_day() {
    let signer = ReadSigner::new(keys(None), "eu-west-3", None).unwrap();
    let read = SignedTarget { method: "GET", authority: "s3.example.com", bucket: "bucket", raw_key: "key" };
    let day_after = |seconds| {
        lines(&signer, &read, at(seconds));
        signer.today.load_full().unwrap()
    };
    let morning = day_after(1_796_083_200);
    assert!(Arc::ptr_eq(&morning, &day_after(1_796_169_599)));
    assert!(!Arc::ptr_eq(&morning, &day_after(1_796_169_600)));
}

#[test]
fn keys_that_break_a_header_line_are_refused() {
    let long = "k".repeat(128);
    let cases = [
        (ID, SECRET, None, "us-east-1", None),
        (&long, "x", Some(TOKEN), "default", None),
        ("", SECRET, None, "us-east-1", Some(UnusableKeys::Id)),
        ("a/b", SECRET, None, "us-east-1", Some(UnusableKeys::Id)),
        ("a\r\nx: y", SECRET, None, "us-east-1", Some(UnusableKeys::Id)),
        (ID, "", None, "us-east-1", Some(UnusableKeys::Secret)),
        (ID, SECRET, Some(""), "us-east-1", Some(UnusableKeys::SessionToken)),
        (ID, SECRET, Some("a\r\nx: y"), "us-east-1", Some(UnusableKeys::SessionToken)),
        (ID, SECRET, Some("ä"), "us-east-1", Some(UnusableKeys::SessionToken)),
        (ID, SECRET, None, "", Some(UnusableKeys::Region)),
        (ID, SECRET, None, "eu west", Some(UnusableKeys::Region)),
        (ID, SECRET, None, "eu/west", Some(UnusableKeys::Region)),
    ];
    for (id, secret, session_token, region, unusable) in cases {
        let signer = ReadSigner::new(AccessKeys { id, secret, session_token }, region, None);
        assert_eq!(signer.err(), unusable, "{id:?} {session_token:?} {region:?}");
    }
}

#[test]
fn debug_output_has_no_secret() {
    let live = LiveSigner::default();
    live.set(Some(Arc::new(ReadSigner::new(keys(Some(TOKEN)), "us-east-1", None).unwrap())));
    let read = SignedTarget { method: "GET", authority: "s3.example.com", bucket: "bucket", raw_key: "key" };
    lines(&live.get(now()).unwrap(), &read, now());
    let shown = format!("{live:?}");
    assert!(shown.contains(ID) && !shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn a_signer_is_gone_once_its_keys_expire() {
    let live = LiveSigner::default();
    assert!(live.get(now()).is_none());
    let signer = |end| Some(Arc::new(ReadSigner::new(keys(None), "us-east-1", end).unwrap()));
    live.set(signer(Some(now())));
    assert!(live.get(now() - Duration::from_nanos(1)).is_some());
    assert!(live.get(now()).is_none());
    live.set(signer(None));
    assert!(live.get(now() + Duration::from_secs(1 << 33)).is_some());
    live.set(None);
    assert!(live.get(now()).is_none());
}
