//! The access line: one for each request, with the fields that the documentation promises.

use super::Format;
use super::line::{Scratch, name};
use super::queue::{Lane, Queue};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// One request, as the access line shows it. It has no place for a query or for a header other than Origin.
#[derive(Debug)]
pub struct Access<'a> {
    /// Names the request in answers and logs.
    pub request_id: &'a str,
    /// The client's address, where it is known; port 0 is one that is not.
    pub client: Option<SocketAddr>,
    /// The version of HTTP that the client spoke.
    pub protocol: Option<&'a str>,
    /// The version of TLS that the client spoke with this proxy.
    pub tls: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// S3's name for what the request asks for.
    pub operation: Option<&'a str>,
    /// The bucket, fit for a log; `_service` for requests without one, `_other` where servers differ about it.
    pub bucket: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// The status that the client saw.
    pub status: u16,
    /// Body bytes to the client.
    pub bytes: usize,
    /// Seconds from the request's head to the end of the response.
    pub duration: f64,
    /// The upstream's address that was tried last.
    pub upstream: Option<SocketAddr>,
    /// Seconds to the head of the upstream's response.
    pub upstream_time: Option<f64>,
    /// What the upstream calls the request.
    pub upstream_request_id: Option<&'a str>,
    /// The Origin, fit for a log.
    pub origin: Option<&'a str>,
    /// What CORS decided.
    pub cors: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// What was refused, fit for a log.
    pub detail: Option<&'a str>,
    /// The rule that granted.
    pub rule: Option<&'a str>,
}

/// Where access lines go. They bypass `tracing`: its formatter allocates for every field.
#[derive(Clone)]
pub struct AccessLog {
    queue: Arc<Queue>,
    format: Format,
}

impl AccessLog {
    pub(super) fn new(queue: Arc<Queue>, format: Format) -> Self {
        Self { queue, format }
    }

    /// Writes the line of a request. Does not block: it is dropped and counted if it does not fit into the queue.
    pub fn write(&self, access: &Access<'_>) {
        SCRATCH.with_borrow_mut(|scratch| self.queue.push(access.line(self.format, scratch), Lane::Access));
    }
}

impl Access<'_> {
    fn line<'s>(&self, format: Format, scratch: &'s mut Scratch) -> &'s [u8] {
        let mut line = scratch.line(format, "access", "request");
        line.text(name!("request_id"), self.request_id)
            .address(name!("client"), self.client)
            .optional_text(name!("protocol"), self.protocol)
            .optional_text(name!("tls"), self.tls)
            .text(name!("method"), self.method)
            .optional_text(name!("operation"), self.operation)
            .text(name!("bucket"), self.bucket)
            .text(name!("path"), self.path)
            .number(name!("status"), self.status.into())
            .number(name!("bytes"), self.bytes as u64)
            .float(name!("duration"), self.duration);
        if self.upstream.is_some() {
            line.address(name!("upstream"), self.upstream);
        }
        if let Some(upstream_time) = self.upstream_time {
            line.float(name!("upstream_time"), upstream_time);
        }
        line.optional_text(name!("upstream_request_id"), self.upstream_request_id)
            .optional_text(name!("origin"), self.origin)
            .optional_text(name!("cors"), self.cors)
            .optional_text(name!("reason"), self.reason)
            .optional_text(name!("detail"), self.detail)
            .optional_text(name!("rule"), self.rule);
        line.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};
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
    fn formatted(access: &Access<'_>, format: Format) -> String {
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
                origin = access.origin,
                cors = access.cors,
                reason = access.reason,
                detail = access.detail,
                rule = access.rule,
                "request"
            );
        };
        match format {
            Format::Json => {
                let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
                tracing::subscriber::with_default(builder.finish(), emit);
            }
            Format::Text => tracing::subscriber::with_default(builder.with_ansi(false).finish(), emit),
        }
        String::from_utf8(output.0.lock().unwrap().clone()).unwrap()
    }

    /// The line that is written, with the time of the test.
    fn written(access: &Access<'_>, format: Format) -> String {
        let mut scratch = Scratch::default();
        let line = String::from_utf8(access.line(format, &mut scratch).to_vec()).unwrap();
        let start = line.find("20").unwrap();
        format!("{}{TIME}{}", &line[..start], &line[start + TIME.len()..])
    }

    fn denied() -> Access<'static> {
        Access {
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
            origin: Some("https://evil.example"),
            cors: Some("denied"),
            reason: Some("origin"),
            detail: Some("https://evil.example"),
            rule: None,
        }
    }

    fn granted() -> Access<'static> {
        Access {
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
            cors: Some("allowed"),
            reason: Some("none"),
            detail: None,
            rule: Some("app"),
            ..denied()
        }
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
        for text in [
            "\"",
            "\\",
            "a\"}, {\"level\": \"ERROR\"",
            "\\xff\\x1b[31m",
            "a…",
            "ü",
            "\u{7f}\t\n\r\u{1}",
            "'",
            "/~ !#[]^",
        ] {
            requests.push(Access { path: text, origin: Some(text), detail: Some(text), rule: Some(text), ..granted() });
        }
        for status in [100, 204, 499, 65_535] {
            requests.push(Access { status, client: Some(([255, 1, 0, 99], status).into()), ..granted() });
        }
        for request in &requests {
            for format in [Format::Json, Format::Text] {
                assert_eq!(written(request, format), formatted(request, format), "{request:?}");
            }
        }
    }

    #[test]
    fn a_line_has_its_documented_form() {
        let json = "{\"timestamp\":\"2026-10-05T07:08:09.123456Z\",\"level\":\"INFO\",\"message\":\"request\",\
                    \"request_id\":\"6F1B3A0C9D2E4857\",\"client\":\"192.0.2.10:54321\",\"protocol\":\"HTTP/1.1\",\
                    \"tls\":\"TLSv1.3\",\"method\":\"OPTIONS\",\
                    \"bucket\":\"bucket\",\"path\":\"/bucket/a%20key\",\"status\":403,\"bytes\":301,\
                    \"duration\":0.000087654,\"origin\":\"https://evil.example\",\"cors\":\"denied\",\
                    \"reason\":\"origin\",\"detail\":\"https://evil.example\",\"target\":\"access\"}\n";
        let text = "2026-10-05T07:08:09.123456Z  INFO access: request request_id=\"6F1B3A0C9D2E4857\" \
                    client=\"192.0.2.10:54321\" protocol=\"HTTP/1.1\" tls=\"TLSv1.3\" method=\"OPTIONS\" bucket=\"bucket\" path=\"/bucket/a%20key\" status=403 \
                    bytes=301 duration=8.7654e-5 origin=\"https://evil.example\" cors=\"denied\" reason=\"origin\" \
                    detail=\"https://evil.example\"\n";
        assert_eq!(written(&denied(), Format::Json), json);
        assert_eq!(written(&denied(), Format::Text), text);
        for (client, shown) in [("192.0.2.10:0", "192.0.2.10"), ("[2001:db8::1]:0", "2001:db8::1")] {
            let line = written(&Access { client: Some(client.parse().unwrap()), ..denied() }, Format::Json);
            assert!(line.contains(&format!("\"client\":\"{shown}\"")), "a port that is not known is not shown: {line}");
        }
    }
}
