use super::super::folder_of;
use super::*;
use proptest::prelude::*;

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: u64 = 1_767_225_600;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn keys(bytes: &[u8]) -> GrantKeys {
    GrantKeys::of(&bytes.iter().map(|byte| [*byte; 32]).collect::<Vec<_>>()).unwrap()
}

/// A token for the folder of a key.
fn token(keys: &GrantKeys, bucket: &str, key: &str, until: SystemTime) -> String {
    keys.token(bucket, folder_of(key, "", 0).unwrap(), until)
}

/// A token of these bytes.
fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).unwrap()
}

#[test]
fn a_token_opens_each_key_below_its_folder_until_its_end() {
    let keys = keys(&[1]);
    let token = token(&keys, "bucket", "video/7/master.m3u8", at(NEW_YEAR));
    for (bucket, key, now, expected) in [
        ("bucket", "video/7/master.m3u8", NEW_YEAR - 1, Ok("video/7/")),
        ("bucket", "video/7/hd/1.m4s", NEW_YEAR - 1, Ok("video/7/")),
        ("bucket", "video/7/", NEW_YEAR - 1, Ok("video/7/")),
        ("bucket", "video/7/a\\b", 0, Ok("video/7/")),
        ("bucket", "video/7/1.m4s", NEW_YEAR, Err(GrantRefusal::Expired)),
        ("bucket", "video/7/1.m4s", NEW_YEAR + 1, Err(GrantRefusal::Expired)),
        ("bucket", "video/8/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Forged)),
        ("bucket", "audio/7/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Forged)),
        ("bucket", "Video/7/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Forged)),
        ("bucket2", "video/7/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Forged)),
        ("bucke", "video/7/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Forged)),
        ("", "video/7/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Forged)),
        // Only a real token is called expired.
        ("other", "video/7/1.m4s", NEW_YEAR, Err(GrantRefusal::Forged)),
        ("bucket", "video/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Outside)),
        ("bucket", "video/7", NEW_YEAR - 1, Err(GrantRefusal::Outside)),
        ("bucket", "1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Outside)),
        ("bucket", "", NEW_YEAR - 1, Err(GrantRefusal::Outside)),
        // The caller refuses these first; a grant does not rely on it.
        ("bucket", "video/7/../8/1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Outside)),
        ("bucket", "video/7//1.m4s", NEW_YEAR - 1, Err(GrantRefusal::Outside)),
    ] {
        let opened = keys.check(&token, bucket, key, at(now));
        assert_eq!(opened.map(|opened| opened.folder.as_str()), expected, "{bucket} {key} {now}");
        assert!(opened.is_err() || opened.unwrap().until == at(NEW_YEAR));
    }
}

/// Other processes with the same keys read it.
#[test]
fn a_token_has_its_documented_form() {
    let keys = keys(&[0]);
    let token = token(&keys, "bucket", "video/7/master.m3u8", at(NEW_YEAR));
    assert_eq!(token, "wPSzk2lVuQAC2h7MJYYA8b4wrIpePrYm18IGddSoBBa-LX_4iZy4lVc");
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    let bytes = bytes(&token);
    assert_eq!(bytes.len(), 41);
    assert_eq!(bytes[..4], keys.signing().id());
    assert_eq!(bytes[4..8], u32::try_from(NEW_YEAR).unwrap().to_be_bytes());
    assert_eq!(bytes[8], 2);
}

#[test]
fn a_token_has_one_text() {
    let keys = keys(&[1]);
    let token = token(&keys, "bucket", "video/7/master.m3u8", at(NEW_YEAR));
    let check = |token: &str| keys.check(token, "bucket", "video/7/1.m4s", at(NEW_YEAR - 1)).map(|_| ());
    assert_eq!(check(&token), Ok(()));
    // The last character has two bits too many, which could be anything.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(&token[54..]).unwrap();
    assert_eq!(place % 4, 0);
    let cut = &token[..54];
    for bits in 1..4 {
        assert_eq!(check(&format!("{cut}{}", &alphabet[place + bits..=place + bits])), Err(GrantRefusal::Malformed));
    }
    for wrong in [
        String::new(),
        cut.to_owned(),
        token[1..].to_owned(),
        format!("{token}="),
        format!("{token}A"),
        format!("{token}AA"),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\0"),
        format!("~{token}"),
        format!("%41{}", &token[1..]),
        format!("{cut}é"),
        format!("{cut}+"),
        format!("{cut}/"),
        text(&bytes(&token)[..40]),
        text(&[&bytes(&token)[..], &[0]].concat()),
        text(&[0; 8]),
        base64::engine::general_purpose::STANDARD.encode(bytes(&token)),
    ] {
        assert_eq!(check(&wrong), Err(GrantRefusal::Malformed), "{wrong:?}");
    }
    let mut whole_bucket = bytes(&token);
    whole_bucket[8] = 0;
    assert_eq!(check(&text(&whole_bucket)), Err(GrantRefusal::Malformed));
}

#[test]
fn keys_are_replaced_without_closing_what_is_open() {
    let check = |keys: &GrantKeys, token: &str| keys.check(token, "b", "v/1", at(0)).map(|_| ());
    let old = token(&keys(&[1]), "b", "v/a.m3u8", at(NEW_YEAR));
    let new = token(&keys(&[2, 1]), "b", "v/a.m3u8", at(NEW_YEAR));
    for (configured, of_old, of_new) in [
        (&[1][..], Ok(()), Err(GrantRefusal::UnknownKey)),
        (&[1, 2], Ok(()), Ok(())),
        (&[2, 1], Ok(()), Ok(())),
        (&[2], Err(GrantRefusal::UnknownKey), Ok(())),
        (&[3], Err(GrantRefusal::UnknownKey), Err(GrantRefusal::UnknownKey)),
    ] {
        let keys = keys(configured);
        assert_eq!((check(&keys, &old), check(&keys, &new)), (of_old, of_new), "{configured:?}");
    }
    assert_eq!(check(&GrantKeys::random().unwrap(), &old), Err(GrantRefusal::UnknownKey));
    // The name of our key, without the key.
    let mut renamed = bytes(&old);
    renamed[..4].copy_from_slice(&keys(&[2]).signing().id());
    assert_eq!(check(&keys(&[2]), &text(&renamed)), Err(GrantRefusal::Forged));
}

#[test]
fn a_time_that_does_not_fit_ends_at_the_nearest_that_does() {
    let keys = keys(&[1]);
    for (until, end) in [
        (at(NEW_YEAR) + Duration::from_millis(999), at(NEW_YEAR)),
        (at(u32::MAX.into()), at(u32::MAX.into())),
        (at(u64::from(u32::MAX) + 1), at(u32::MAX.into())),
        (at(NEW_YEAR * 100), at(u32::MAX.into())),
    ] {
        let token = token(&keys, "b", "v/a.m3u8", until);
        assert_eq!(keys.check(&token, "b", "v/1", at(1)).unwrap().until, end);
    }
    let before = token(&keys, "b", "v/a.m3u8", UNIX_EPOCH - Duration::from_secs(1));
    assert_eq!(keys.check(&before, "b", "v/1", at(0)), Err(GrantRefusal::Expired));
}

/// The end of one text is never the beginning of the next.
#[test]
fn the_tag_is_over_one_reading_of_bucket_and_folder() {
    let keys = keys(&[1]);
    let pairs = [("b", "av/c/x"), ("ba", "v/c/x"), ("b\0", "av/c/x"), ("b", "v/c/x"), ("ba/v", "c/x")];
    for (bucket, key) in pairs {
        let token = token(&keys, bucket, key, at(NEW_YEAR));
        for (other, other_key) in pairs {
            let is_same = (bucket, key) == (other, other_key);
            assert_eq!(
                keys.check(&token, other, other_key, at(0)).is_ok(),
                is_same,
                "{bucket} {key}: {other} {other_key}"
            );
        }
    }
}

#[test]
fn each_refusal_is_counted_under_its_label() {
    for (refusal, label) in [
        (GrantRefusal::Malformed, "forged"),
        (GrantRefusal::UnknownKey, "forged"),
        (GrantRefusal::Forged, "forged"),
        (GrantRefusal::Outside, "outside"),
        (GrantRefusal::Expired, "expired"),
    ] {
        assert_eq!(refusal.result().as_str(), label, "{refusal:?}");
    }
}

fn segment() -> impl Strategy<Value = String> {
    "[a-c~%.\\\\é]{1,3}".prop_filter("no dots", |text| !matches!(text.as_str(), "." | ".."))
}

fn path(segments: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    proptest::collection::vec(segment(), segments).prop_map(|segments| segments.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_token_opens_its_folder_and_nothing_else(
        bucket in "[ab]{1,3}",
        other_bucket in "[ab]{1,3}",
        key in path(2..6),
        up in 0..3_usize,
        below in path(1..4),
        other_key in path(1..6),
        until in 1..=u32::MAX,
        now in any::<u32>(),
        (place, flip) in (0..41_usize, 1..=u8::MAX),
        cut in 0..55_usize,
    ) {
        let keys = keys(&[1, 2]);
        let folder = folder_of(&key, "", up).unwrap();
        let token = keys.token(&bucket, folder, at(until.into()));
        let check = |token: &str, bucket: &str, key: &str, now: u32| {
            keys.check(token, bucket, key, at(now.into())).map(|opened| opened.folder.as_str().to_owned())
        };

        let inside = format!("{}{below}", folder.as_str());
        prop_assert_eq!(check(&token, &bucket, &inside, until - 1).unwrap(), folder.as_str());
        prop_assert_eq!(check(&token, &bucket, &key, now).is_ok(), now < until);
        prop_assert_eq!(check(&token, &other_bucket, &inside, 0).is_ok(), bucket == other_bucket);
        prop_assert_eq!(check(&token, &bucket, &other_key, 0).is_ok(), other_key.starts_with(folder.as_str()));

        let mut changed = bytes(&token);
        changed[place] ^= flip;
        for changed in [text(&changed), token[..cut].to_owned(), token[cut + 1..].to_owned()] {
            for key in [&inside, &other_key] {
                prop_assert!(check(&changed, &bucket, key, 0).is_err(), "{}", changed);
            }
        }
    }

    #[test]
    fn no_text_is_a_token_by_chance(token in "[A-Za-z0-9_-]{0,60}", key in path(1..4)) {
        prop_assert!(keys(&[1]).check(&token, "b", &key, at(0)).is_err());
    }
}
