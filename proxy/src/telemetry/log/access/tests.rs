use super::*;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

const TIME: &str = "2026-10-05T07:08:09.123456Z";

/// The time of the test, in place of the present one.
struct FixedTime;

impl FormatTime for FixedTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(TIME)
    }
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The line of the same event from the formatter that all other lines come from.
fn formatted(access: &Access<'_>, syntax: Syntax) -> String {
    let output = Output::default();
    let writer = output.clone();
    let builder = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_timer(FixedTime);
    let emit = || {
        tracing::info!(
            target: "access",
            request_id = access.request_id,
            client = access.client.map(|client| client.to_string()).unwrap_or_default(),
            protocol = access.protocol,
            tls = access.tls,
            method = access.method,
            operation = access.operation,
            bucket = access.bucket,
            path = access.path,
            status = access.status,
            bytes = access.bytes,
            duration = access.duration,
            upstream = access.upstream.map(|upstream| upstream.to_string()),
            upstream_time = access.upstream_time,
            upstream_request_id = access.upstream_request_id,
            signer = access.signer.as_str(),
            prefix = access.signed_prefix,
            until = access.until.map(|until| humantime::format_rfc3339_seconds(until).to_string()),
            origin = access.origin,
            cors = access.cors,
            reason = access.reason,
            detail = access.detail,
            rule = access.rule,
            "request"
        );
    };
    match syntax {
        Syntax::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            tracing::subscriber::with_default(builder.finish(), emit);
        }
        Syntax::Text => tracing::subscriber::with_default(builder.with_ansi(false).finish(), emit),
    }
    String::from_utf8(output.0.lock().unwrap().clone()).unwrap()
}

/// The line that is written, with the time of the test.
fn written(access: &Access<'_>, syntax: Syntax) -> String {
    let mut scratch = Scratch::default();
    let line = String::from_utf8(access.line(syntax, &mut scratch).to_vec()).unwrap();
    let start = line.find("20").unwrap();
    format!("{}{TIME}{}", &line[..start], &line[start + TIME.len()..])
}

fn denied() -> Access<'static> {
    Access {
        upstream_name: None,
        refused: None,
        request_id: "6F1B3A0C9D2E4857",
        client: Some(([192, 0, 2, 10], 54_321).into()),
        protocol: Some("HTTP/1.1"),
        tls: Some("TLSv1.3"),
        method: "OPTIONS",
        operation: None,
        bucket: "bucket",
        path: "/bucket/a%20key",
        status: 403,
        bytes: 301,
        duration: 0.000_087_654,
        upstream: None,
        upstream_time: None,
        upstream_request_id: None,
        signer: SignedBy::None,
        signed_prefix: None,
        until: None,
        origin: Some("https://evil.example"),
        cors: Some("denied"),
        reason: Some("origin"),
        detail: Some("https://evil.example"),
        rule: None,
    }
}

fn granted() -> Access<'static> {
    Access {
        upstream_name: None,
        refused: None,
        client: Some("[2001:db8::1]:443".parse().unwrap()),
        tls: None,
        method: "GET",
        operation: Some("GetObject"),
        status: 200,
        bytes: usize::MAX,
        duration: 1.5,
        upstream: Some(([192, 0, 2, 20], 9000).into()),
        upstream_time: Some(1.0),
        upstream_request_id: Some("tx0000-1"),
        signer: SignedBy::Client,
        cors: Some("allowed"),
        reason: Some("none"),
        detail: None,
        rule: Some("app"),
        ..denied()
    }
}

fn signed_here() -> Access<'static> {
    Access { signer: SignedBy::Here, signed_prefix: Some("public/"), ..granted() }
}

fn opened() -> Access<'static> {
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(1_791_184_089);
    Access { signer: SignedBy::Grant, signed_prefix: Some("video/7/"), until: Some(until), ..granted() }
}

#[test]
fn a_line_looks_like_those_of_other_events() {
    let plain = Access {
        origin: None,
        cors: None,
        reason: None,
        detail: None,
        client: None,
        protocol: None,
        bucket: "",
        bytes: 0,
        ..denied()
    };
    let mut requests = vec![denied(), granted(), plain];
    for duration in [0.0, 1e-9, 0.000_01, 0.1, 3.0, 12_345.678_901, 1e16, 1e21, f64::NAN, f64::INFINITY] {
        requests.push(Access { duration, upstream_time: Some(duration), ..denied() });
    }
    for text in
        ["\"", "\\", "a\"}, {\"level\": \"ERROR\"", "\\xff\\x1b[31m", "a…", "ü", "\u{7f}\t\n\r\u{1}", "'", "/~ !#[]^"]
    {
        requests.push(Access { path: text, origin: Some(text), detail: Some(text), rule: Some(text), ..granted() });
    }
    for signer in SignedBy::ALL {
        requests.push(Access { signer, ..granted() });
    }
    requests.push(signed_here());
    requests.push(opened());
    requests.push(Access { signed_prefix: Some("a \"b\"/…"), ..opened() });
    for status in [100, 204, 499, 65_535] {
        requests.push(Access { status, client: Some(([255, 1, 0, 99], status).into()), ..granted() });
    }
    for request in &requests {
        for syntax in [Syntax::Json, Syntax::Text] {
            assert_eq!(written(request, syntax), formatted(request, syntax), "{request:?}");
        }
    }
}

#[test]
fn a_line_has_its_documented_form() {
    let json = "{\"timestamp\":\"2026-10-05T07:08:09.123456Z\",\"level\":\"INFO\",\"message\":\"request\",\
                \"request_id\":\"6F1B3A0C9D2E4857\",\"client\":\"192.0.2.10:54321\",\"protocol\":\"HTTP/1.1\",\
                \"tls\":\"TLSv1.3\",\"method\":\"OPTIONS\",\
                \"bucket\":\"bucket\",\"path\":\"/bucket/a%20key\",\"status\":403,\"bytes\":301,\
                \"duration\":0.000087654,\"signer\":\"none\",\"origin\":\"https://evil.example\",\"cors\":\"denied\",\
                \"reason\":\"origin\",\"detail\":\"https://evil.example\",\"target\":\"access\"}\n";
    let text = "2026-10-05T07:08:09.123456Z  INFO access: request request_id=\"6F1B3A0C9D2E4857\" \
                client=\"192.0.2.10:54321\" protocol=\"HTTP/1.1\" tls=\"TLSv1.3\" method=\"OPTIONS\" bucket=\"bucket\" path=\"/bucket/a%20key\" status=403 \
                bytes=301 duration=8.7654e-5 signer=\"none\" origin=\"https://evil.example\" cors=\"denied\" reason=\"origin\" \
                detail=\"https://evil.example\"\n";
    assert_eq!(written(&denied(), Syntax::Json), json);
    assert_eq!(written(&denied(), Syntax::Text), text);
    for (access, expected) in [
        (granted(), "\"upstream_request_id\":\"tx0000-1\",\"signer\":\"client\",\"origin\""),
        (signed_here(), "\"signer\":\"here\",\"prefix\":\"public/\",\"origin\""),
        (opened(), "\"signer\":\"grant\",\"prefix\":\"video/7/\",\"until\":\"2026-10-05T07:08:09Z\",\"origin\""),
    ] {
        let line = written(&access, Syntax::Json);
        assert!(line.contains(expected), "{line}");
    }
    for (client, shown) in [("192.0.2.10:0", "192.0.2.10"), ("[2001:db8::1]:0", "2001:db8::1")] {
        let line = written(&Access { client: Some(client.parse().unwrap()), ..denied() }, Syntax::Json);
        assert!(line.contains(&format!("\"client\":\"{shown}\"")), "a port that is not known is not shown: {line}");
    }
}

/// The line for a person, without its time.
fn console(access: &Access<'_>, has_colour: bool) -> String {
    let mut scratch = Scratch::default();
    let line = String::from_utf8(access.console_line(has_colour, &mut scratch).to_vec()).unwrap();
    let (time, rest) = if has_colour {
        line.strip_prefix("\x1b[2m").unwrap().split_once("\x1b[0m ").unwrap()
    } else {
        line.split_once(' ').unwrap()
    };
    let shape: String = time.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(shape, "00:00:00");
    rest.to_owned()
}

#[test]
fn a_line_at_a_terminal_is_short_and_says_nothing_twice() {
    let detail =
        |reason: &'static str, detail: &'static str| Access { reason: Some(reason), detail: Some(detail), ..denied() };
    let plain = || Access { origin: None, cors: None, reason: None, detail: None, rule: None, ..granted() };
    for (access, expected) in [
        (denied(), "403 OPTIONS /bucket/a%20key  https://evil.example -> denied (origin)  0.1 ms"),
        (
            detail("method", "DELETE"),
            "403 OPTIONS /bucket/a%20key  https://evil.example -> denied (method DELETE)  0.1 ms",
        ),
        (detail("header", "x-a"), "403 OPTIONS /bucket/a%20key  https://evil.example -> denied (header x-a)  0.1 ms"),
        (granted(), "200 GET     /bucket/a%20key  https://evil.example -> allowed  1500 ms"),
        (
            Access { cors: Some("no_rules"), reason: Some("no_rules"), ..granted() },
            "200 GET     /bucket/a%20key  https://evil.example -> no rules  1500 ms",
        ),
        (
            Access { cors: Some("same_origin"), ..granted() },
            "200 GET     /bucket/a%20key  https://evil.example -> same origin  1500 ms",
        ),
        (plain(), "200 GET     /bucket/a%20key  1500 ms"),
        // The bucket is said where the path does not: the host names it.
        (Access { path: "/key", ..plain() }, "200 GET     /key (bucket bucket)  1500 ms"),
        (Access { path: "/buckets/key", ..plain() }, "200 GET     /buckets/key (bucket bucket)  1500 ms"),
        (Access { path: "/bucket", ..plain() }, "200 GET     /bucket  1500 ms"),
        (Access { path: "/", bucket: "_service", ..plain() }, "200 GET     /  1500 ms"),
        (Access { path: "/a/../b", bucket: "_other", ..plain() }, "200 GET     /a/../b  1500 ms"),
        // A request that could not be read.
        (Access { path: "/", bucket: "", duration: f64::NAN, ..plain() }, "200 GET     /  0.0 ms"),
    ] {
        assert_eq!(console(&access, false).trim_end_matches('\n'), expected);
    }
    assert_eq!(
        console(&denied(), true),
        "\x1b[33m403\x1b[0m OPTIONS /bucket/a%20key  https://evil.example -> \x1b[31mdenied\x1b[0m (origin)  \x1b[2m0.1 ms\x1b[0m\n"
    );
}

#[test]
fn no_part_of_a_request_steers_the_terminal() {
    let hostile = "x\x1b]0;a\x07\x1b[2J\r\n00:00:00 200 GET /\u{202e}\u{9b}1m";
    for access in [
        Access { path: hostile, ..denied() },
        Access { method: hostile, ..denied() },
        Access { origin: Some(hostile), ..denied() },
        Access { detail: Some(hostile), ..denied() },
        Access { bucket: hostile, ..denied() },
        Access { cors: Some("allowed"), request_id: hostile, rule: Some(hostile), ..denied() },
    ] {
        let line = console(&access, false);
        let text = line.strip_suffix('\n').unwrap();
        assert!(text.chars().all(|char| char.is_ascii_graphic() || char == ' '), "{access:?}: {line:?}");
        assert!(!text.contains("00:00:00 200"), "{access:?}: {line:?}");
    }
}
