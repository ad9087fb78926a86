//! The confirmation that an upstream judges signatures: nothing that a client chooses, and no second address, may make it look so.
//! Each stub is lax in one way that a server could be.

use super::judge::error;
use super::*;
use crate::support::cors_writer::rewritten;
use crate::support::upstream::Received;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Refuses the proxy's own probe, so that writes are served, and answers all else as the script says: with a status and a code.
fn lax(answer: impl Fn(&Received) -> (&'static str, &'static str) + Send + Sync + 'static) -> Upstream {
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let is_probe = request.header("authorization").unwrap_or_default().contains("Credential=S3CORSPROBE/");
            let (status, code) = if is_probe { ("403 Forbidden", "InvalidAccessKeyId") } else { answer(&request) };
            if !served.send(error(status, code)) {
                return;
            }
        }
    })
}

fn unsupported() -> (&'static str, &'static str) {
    ("501 Not Implemented", "NotImplemented")
}

/// A proxy before an upstream, whose bucket has rules that no client may read or change here.
fn scene(upstreams: &[SocketAddr]) -> (Rules, Proxy) {
    let rules = Rules::empty();
    rules.write("bucket.xml", allowing(ORIGIN));
    let urls: Vec<_> = upstreams.iter().map(|address| format!("http://{address}")).collect();
    let config = ConfigFile::new("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nrules: {api: on}\n");
    let mut command = s3cors(&["serve", "--config", &config.argument(), "--upstream", &urls.join(",")]);
    command.arg("--rules").arg(rules.path());
    let proxy = Proxy::spawn(command);
    eventually("writes are served", || (proxy.metric(WRITABLE) == Some(1.0)).then_some(()));
    (rules, proxy)
}

/// Every operation with an edited signature, in a header of either version and in a URL.
fn attacks(proxy: &Proxy, signature: &str) -> Vec<(String, SignedRequest)> {
    let mut attacks = Vec::new();
    for method in ["GET", "PUT", "DELETE"] {
        let document = if method == "PUT" { allowing(OTHER) } else { String::new() };
        let writer = CorsWriter { method, key: KEY, ..CorsWriter::put(proxy.address, "/bucket?cors", &document) };
        let in_url = CorsWriter { is_presigned: true, ..writer.clone() };
        for (form, mut request) in [("a header", writer.sign()), ("a URL", in_url.sign()), ("version 2", writer.sign())]
        {
            match form {
                "version 2" => {
                    let date = httpdate::fmt_http_date(SystemTime::now());
                    request.lines.retain(|(name, _)| name != "authorization" && name != "x-amz-date");
                    request.lines.push(("date".into(), date));
                    request.lines.push(("authorization".into(), format!("AWS {KEY}:{signature}")));
                }
                _ => rewritten(&mut request, |text| {
                    let at = text.find("Signature=")? + "Signature=".len();
                    Some(format!("{}{signature}", &text[..at]))
                }),
            }
            attacks.push((format!("{method} with {signature:?} in {form}"), request));
        }
    }
    attacks
}

#[test]
fn a_client_cannot_choose_what_the_confirmation_breaks() {
    // Says 501 to everyone, and refuses whatever is no `?cors`.
    let by_target = lax(|request| match request.request_line().contains("?cors") {
        true => unsupported(),
        false => ("403 Forbidden", "SignatureDoesNotMatch"),
    });
    // Says 501 to everyone whose key it knows.
    let by_key = lax(|request| match request.head_text().contains(KEY) {
        true => unsupported(),
        false => ("403 Forbidden", "AccessDenied"),
    });
    for upstream in [&by_target, &by_key] {
        for has_te in [false, true] {
            let (rules, proxy) = scene(&[upstream.address]);
            let before = std::fs::read_to_string(rules.file("bucket.xml")).unwrap();
            for signature in ["cors", "bucket", "PUT", "host", "x-amz-date", "0", "", KEY, &KEY[..28]] {
                for (name, request) in attacks(&proxy, signature) {
                    let name = format!("{name}, TE: {has_te}");
                    let response = request.with_te_if(has_te).send(proxy.address);
                    let found = (response.status, code(&response).unwrap_or_default());
                    // Forwarded, so that its 501 comes back; or refused here, or for want of a confirmation.
                    let expected = [(501, "NotImplemented"), (403, "AccessDenied")];
                    assert!(expected.contains(&(found.0, &*found.1)), "{name}: {response:?}");
                    let now = std::fs::read_to_string(rules.file("bucket.xml")).ok();
                    assert_eq!(now.as_deref(), Some(&*before), "{name}");
                    assert!(!response.text().contains(ORIGIN), "{name}: {response:?}");
                }
            }
        }
    }
}

#[test]
fn a_signature_that_is_none_is_forwarded_like_any_other() {
    let upstream = lax(|_| unsupported());
    let (_rules, proxy) = scene(&[upstream.address]);
    for (name, request) in attacks(&proxy, "cors") {
        let before = upstream.received().len();
        let response = request.send(proxy.address);
        assert_eq!((response.status, response.header("x-theirs")), (501, Some("1")), "{name}: {response:?}");
        let asked =
            upstream.received().into_iter().skip(before).filter(|request| !request.head_text().contains("S3CORSPROBE"));
        assert_eq!(asked.count(), 1, "{name}");
    }
}

/// Says 501 to the first request for the bucket, and refuses the second with this document.
fn refusing_second(code: &'static str, message: &'static str) -> Upstream {
    let asked = AtomicUsize::new(0);
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let is_probe = request.header("authorization").unwrap_or_default().contains("Credential=S3CORSPROBE/");
            let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let refusal = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let is_first = !is_probe && asked.fetch_add(1, Ordering::SeqCst) == 0;
            if !served.send(if is_first { error("501 Not Implemented", "NotImplemented") } else { refusal }) {
                return;
            }
        }
    })
}

#[test]
fn only_a_refusal_for_the_signature_confirms() {
    for (refused_with, message, is_confirmed) in [
        ("SignatureDoesNotMatch", "m", true),
        ("AccessDenied", "Forbidden: Invalid signature", true),
        ("AccessDenied", "Request has expired", false),
        ("AccessDenied", "", false),
        ("InvalidAccessKeyId", "m", false),
        ("RequestTimeTooSkewed", "m", false),
        ("ExpiredToken", "m", false),
        ("SlowDown", "m", false),
        ("", "", false),
    ] {
        let upstream = refusing_second(refused_with, message);
        let (rules, proxy) = scene(&[upstream.address]);
        let before = std::fs::read_to_string(rules.file("bucket.xml")).unwrap();
        let response = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(OTHER)).send(proxy.address);
        let found = (response.status, code(&response));
        let expected = if is_confirmed { (200, None) } else { (403, Some("AccessDenied".to_owned())) };
        assert_eq!(found, expected, "{refused_with} {message}: {response:?}");
        let is_changed = std::fs::read_to_string(rules.file("bucket.xml")).unwrap() != before;
        assert_eq!(is_changed, is_confirmed, "{refused_with} {message}");
    }
}

#[test]
fn a_strict_server_does_not_confirm_for_a_lax_one() {
    let lax = lax(|_| unsupported());
    let strict = Upstream::answering(error("403 Forbidden", "SignatureDoesNotMatch"));
    let (rules, proxy) = scene(&[lax.address, strict.address]);
    let before = std::fs::read_to_string(rules.file("bucket.xml")).unwrap();
    for _ in 0..8 {
        let response = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(OTHER)).send(proxy.address);
        assert_eq!(response.status, 403, "{response:?}");
        assert_eq!(std::fs::read_to_string(rules.file("bucket.xml")).unwrap(), before);
    }
    let asked = |upstream: &Upstream| {
        upstream
            .received()
            .iter()
            .filter(|request| !request.body.is_empty() && request.head_text().contains("?cors"))
            .count()
    };
    // Each address gets every other request; the lax one is asked twice about each of its own.
    assert_eq!((asked(&lax), asked(&strict)), (8, 4));
}

#[test]
fn an_address_that_is_gone_for_the_second_question_is_503() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let refusing = Upstream::answering(error("403 Forbidden", "SignatureDoesNotMatch"));
    let server = std::thread::spawn(move || {
        // The probe comes first, on a connection of its own; the request that is not the probe is the last that gets a response.
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut bytes = [0; 4096];
                match std::io::Read::read(&mut stream, &mut bytes).unwrap() {
                    0 => break,
                    length => head.extend_from_slice(&bytes[..length]),
                }
            }
            let is_probe = String::from_utf8_lossy(&head).contains("S3CORSPROBE");
            let answer = if is_probe { ("403 Forbidden", "InvalidAccessKeyId") } else { unsupported() };
            let answer = error(answer.0, answer.1).replacen("\r\n", "\r\nConnection: close\r\n", 1);
            if !is_probe {
                // Nothing can connect any more when the response is read.
                drop(listener);
                std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
                return;
            }
            std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        }
    });
    let (rules, proxy) = scene(&[address, refusing.address]);
    let before = std::fs::read_to_string(rules.file("bucket.xml")).unwrap();
    // One of two in a row is asked of the address that goes.
    let delete =
        || CorsWriter { method: "DELETE", ..CorsWriter::put(proxy.address, "/bucket?cors", "") }.send(proxy.address);
    let mut found = [delete(), delete()].map(|response| (response.status, code(&response).unwrap_or_default()));
    found.sort();
    let expected = [(403, "SignatureDoesNotMatch"), (503, "ServiceUnavailable")];
    assert_eq!(found.each_ref().map(|(status, code)| (*status, code.as_str())), expected);
    assert_eq!(std::fs::read_to_string(rules.file("bucket.xml")).unwrap(), before);
    server.join().unwrap();
}

#[test]
fn a_credential_that_is_there_twice_is_400_and_a_time_ahead_is_403() {
    let upstream = lax(|_| unsupported());
    for has_te in [false, true] {
        let (_rules, proxy) = scene(&[upstream.address]);
        let put = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(OTHER));
        let edited = |edit: &dyn Fn(&str) -> String| {
            let mut request = put.sign();
            rewritten(&mut request, |text| Some(edit(text)));
            request
        };
        let at = |ahead: u64| CorsWriter { at: SystemTime::now() + Duration::from_secs(ahead), ..put.clone() }.sign();
        let before = upstream.received().len();
        for (name, request, status, expected) in [
            (
                "two credentials",
                edited(&|text| format!("{text}, Credential=OTHER/x")),
                400,
                "AuthorizationHeaderMalformed",
            ),
            ("two signatures", edited(&|text| format!("{text}, Signature={KEY}")), 400, "AuthorizationHeaderMalformed"),
            ("16 minutes ahead", at(16 * 60), 403, "RequestTimeTooSkewed"),
            (
                "in 2099",
                CorsWriter { at: SystemTime::UNIX_EPOCH + Duration::from_secs(4_070_908_800), ..put.clone() }.sign(),
                403,
                "RequestTimeTooSkewed",
            ),
        ] {
            let response = request.with_te_if(has_te).send(proxy.address);
            assert_eq!(
                (response.status, code(&response).as_deref()),
                (status, Some(expected)),
                "{name}, TE: {has_te}: {response:?}"
            );
        }
        assert!(upstream.received().iter().skip(before).all(|request| request.body.is_empty()), "not asked");
        let response = at(14 * 60).send(proxy.address);
        assert_eq!(code(&response).as_deref(), Some("AccessDenied"), "asked, and not confirmed: {response:?}");
    }
}

/// Takes every signature whose first digit is an F, in either case.
fn judging() -> Upstream {
    lax(|request| {
        match request.header("authorization").is_some_and(|value| value.to_uppercase().contains("SIGNATURE=F")) {
            true => unsupported(),
            false => ("403 Forbidden", "SignatureDoesNotMatch"),
        }
    })
}

#[test]
fn a_replay_of_the_same_second_has_no_way_around_the_list() {
    let upstream = judging();
    let (rules, proxy) = scene(&[upstream.address]);
    let at = SystemTime::now();
    // Two writes of one second whose signatures begin with that digit: a comment changes the signature.
    let accepted = |origin: &str, at: SystemTime| {
        (0..).find_map(|number| {
            let document = allowing(origin).replace("<CORSRule>", &format!("<!--{number}--><CORSRule>"));
            let request = CorsWriter { at, ..CorsWriter::put(proxy.address, "/bucket?cors", &document) }.sign();
            request.lines.iter().any(|(_, value)| value.contains("Signature=f")).then_some(request)
        })
    };
    let (old, new) = (accepted(OTHER, at).unwrap(), accepted(ORIGIN, at).unwrap());
    let mut in_capitals = old.clone();
    rewritten(&mut in_capitals, |text| {
        let at = text.find("Signature=")? + "Signature=".len();
        Some(format!("{}{}", &text[..at], text[at..].to_uppercase()))
    });
    for (name, request, status) in
        [("old", &old, 200), ("new", &new, 200), ("replay", &old, 409), ("in capitals", &in_capitals, 409)]
    {
        let response = request.send(proxy.address);
        assert_eq!(response.status, status, "{name}: {response:?}");
    }
    let before = std::fs::read_to_string(rules.file("bucket.xml")).unwrap();
    drop(proxy);
    // Another process does not know that second: neither a restart nor a second replica may bring an old document back.
    let config = ConfigFile::new("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nrules: {api: on}\n");
    let mut command =
        s3cors(&["serve", "--config", &config.argument(), "--upstream", &format!("http://{}", upstream.address)]);
    command.arg("--rules").arg(rules.path());
    let proxy = Proxy::spawn(command);
    eventually("writes are served", || (proxy.metric(WRITABLE) == Some(1.0)).then_some(()));
    assert_eq!(old.send(proxy.address).status, 409);
    assert_eq!(std::fs::read_to_string(rules.file("bucket.xml")).unwrap(), before);
}

#[test]
fn an_amazon_header_in_two_spellings_is_refused() {
    let upstream = lax(|_| unsupported());
    let (_rules, proxy) = scene(&[upstream.address]);
    let mut request = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(OTHER)).sign();
    request.lines.push(("x_amz_date".into(), "20200101T000000Z".into()));
    let response = request.send(proxy.address);
    assert_eq!((response.status, code(&response).as_deref()), (403, Some("AccessDenied")), "{response:?}");
    assert!(upstream.received().iter().all(|request| request.body.is_empty()), "not asked");
}
