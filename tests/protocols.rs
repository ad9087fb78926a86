//! A request has one outcome, whichever protocol its client speaks: what the client gets, what the upstream sees, what is counted and
//! logged is the same over HTTP/1.1, over HTTP/2 without TLS and over HTTP/2 with it, except for what is written down here.

mod corpora;
mod outcomes;

use crate::support::h2::{Ended, Http2};
use crate::support::messages::{Message, responses};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::twins::{Plan, Stage};
use crate::support::{DEADLINE, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The usual response of the upstream.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nbody";

/// Limits that a test can wait for.
const LIMITS: &str =
    "limits: {header_size: 16KiB, body_read: 700ms}\nupstream: {timeouts: {read: 900ms, write: 500ms}}\n";

/// Response lines that are the connection's, or are made anew for each response.
const NOT_COMPARED: [&str; 6] =
    ["date", "connection", "transfer-encoding", "x-amz-request-id", "x-amz-id-2", "content-length"];
/// Fields of an access line that name the exchange or its protocol.
const NAMES: [&str; 6] = ["timestamp", "request_id", "client", "duration", "protocol", "tls"];

/// A difference between the protocols that is on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intended {
    /// A head of HTTP/1.1 that is too large is not read to its end, so that the bucket's headers, the log line and the decision depend on
    /// where its lines are. A block of HTTP/2 is always read to its end, since later ones depend on it.
    UnreadHead,
    /// A malformed request is a stream error (RFC 9113 §8.1.1). It is counted and logged like the 400 of HTTP/1.1.
    StreamError,
    /// The response is lost where the client still sends while the connection is closed. It is counted and logged.
    LostResponse,
    /// A response that breaks off ends with the connection over HTTP/1.1, and with a reset of the stream over HTTP/2, which may overtake
    /// what came before it.
    BrokenOff,
}

impl Intended {
    const fn may_lose_response(self) -> bool {
        matches!(self, Self::StreamError | Self::LostResponse | Self::BrokenOff)
    }
}

/// A request's body.
#[derive(Clone, Debug)]
enum Body {
    None,
    /// Its length is stated.
    Whole(Vec<u8>),
    /// Its length is not known before its end.
    Streamed(Vec<u8>),
    /// The client stops before the length that it stated.
    Stopped(usize, Vec<u8>),
    /// The client waits for 100 Continue.
    Awaiting(Vec<u8>),
}

/// An exchange.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    method: String,
    target: Vec<u8>,
    host: String,
    lines: Vec<(String, String)>,
    body: Body,
    plan: Plan,
    differs: Option<Intended>,
    /// The status that all have.
    status: Option<u16>,
}

impl Case {
    fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            name: format!("{method} {}", target.as_ref()[..target.as_ref().len().min(100)].escape_ascii()),
            method: method.to_owned(),
            target: target.as_ref().to_vec(),
            host: "s3.example.test".to_owned(),
            lines: vec![("origin".to_owned(), "https://app.example".to_owned())],
            body: Body::None,
            plan: Plan { sends: vec![OK.into()], ..Plan::default() },
            differs: None,
            status: None,
        }
    }

    fn get() -> Self {
        Self::new("GET", "/bucket/key?a=b")
    }

    fn put(body: Body) -> Self {
        let case = Self::new("PUT", "/bucket/key");
        Self { name: format!("{} with {body:.60?}", case.name), body, ..case }
    }

    fn line(mut self, name: &str, value: &str) -> Self {
        self.name.push_str(&format!(", {name}: {}", &value[..value.len().min(60)]));
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    fn hosted(self, host: &str) -> Self {
        Self { name: format!("{} at {host:?}", self.name), host: host.to_owned(), ..self }
    }

    fn answered(self, answer: &str) -> Self {
        let name = format!("{} answered with {}", self.name, answer[..answer.len().min(80)].escape_debug());
        Self { name, plan: Plan { sends: vec![answer.into()], ..self.plan }, ..self }
    }

    fn planned(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    fn states_no_body(&self) -> bool {
        let has_length = self.lines.iter().any(|(name, _)| name == "content-length");
        ["PUT", "POST", "PATCH"].contains(&self.method.as_str()) && !has_length
    }

    fn is(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    fn differing(self, intended: Intended) -> Self {
        Self { differs: Some(intended), ..self }
    }
}

/// The response as a client gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Got {
    interim: Vec<u16>,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_whole: bool,
}

/// A way to speak to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    H2c,
    H2,
}

/// The same proxy three times, each spoken to in another protocol.
struct Protocols {
    stages: Vec<(Protocol, Stage)>,
    authority: Authority,
    failures: Vec<String>,
    cases: usize,
    _rules: Rules,
}

impl Protocols {
    fn new() -> Self {
        Self::with(Rules::usual(), &["s3.example.test"])
    }

    fn with(rules: Rules, domains: &[&str]) -> Self {
        let authority = Authority::new();
        authority.install(&authority.issue("s3.example.test"));
        let plain = "{address: '127.0.0.1:0', http2: true}".to_owned();
        let listeners =
            [(Protocol::Http1, plain.clone()), (Protocol::H2c, plain), (Protocol::H2, authority.listener())];
        let stages = listeners.map(|(protocol, listener)| {
            (protocol, Stage::with(|upstream| start(&rules, &listener, upstream, domains)))
        });
        Self { stages: stages.into(), authority, failures: Vec::new(), cases: 0, _rules: rules }
    }

    /// Runs a case over each protocol, and keeps what differs.
    fn check(&mut self, case: &Case) {
        self.cases += 1;
        let mut all = Vec::new();
        for (protocol, stage) in &mut self.stages {
            let authority = &self.authority;
            let converse = |address| match protocol {
                Protocol::Http1 => http1(address, case),
                Protocol::H2c => http2(Http2::open(address), "http", case),
                Protocol::H2 => http2(Http2::over_tls(authority, address), "https", case),
            };
            let (got, arrived, counted) = stage.observe(&case.plan, converse);
            let lines = access_lines(stage, &counted);
            if let Some(status) = case.status.filter(|status| *status != got.status) {
                let is_lost = got.status == 0 && case.differs.is_some_and(Intended::may_lose_response);
                if !is_lost {
                    self.failures.push(format!("{}\n  {protocol:?}: {} instead of {status}", case.name, got.status));
                }
            }
            all.push((*protocol, shown(case, &got, &arrived, &counted, &lines)));
        }
        let (_, first) = &all[0];
        for (protocol, other) in &all[1..] {
            let text = differences(&[("Http1".to_owned(), first), (format!("{protocol:?}"), other)]);
            if !text.is_empty() {
                self.failures.push(format!("{}\n{text}", case.name));
            }
        }
    }

    fn finish(self, cases: usize) {
        println!("{} cases", self.cases);
        assert!(self.failures.is_empty(), "{} of {}:\n{}", self.failures.len(), self.cases, self.failures.join("\n"));
        assert!(self.cases >= cases, "{}", self.cases);
    }
}

fn start(rules: &Rules, listener: &str, upstream: SocketAddr, domains: &[&str]) -> Proxy {
    let file = ConfigFile::new(&format!("listen: {listener}\nadmin: 127.0.0.1:0\n{LIMITS}"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--upstream", &format!("http://{upstream}")]);
    command.arg("--rules").arg(rules.path());
    for domain in domains {
        command.args(["--domain", domain]);
    }
    Proxy::spawn(command)
}

/// The access lines of a case, once there is one for each request that was counted.
fn access_lines(stage: &mut Stage, counted: &BTreeMap<String, f64>) -> Vec<Value> {
    let requests = counted.iter().filter(|(series, _)| series.starts_with("s3cors_http_requests_total"));
    let requests = requests.map(|(_, count)| *count as usize).sum::<usize>();
    let started = Instant::now();
    eventually("the access lines come", || {
        let (lines, mark) = stage.access_lines();
        let is_all = lines.len() >= requests || started.elapsed() > Duration::from_millis(300);
        is_all.then(|| {
            stage.forget_access_lines_before(mark);
            lines
        })
    })
}

/// Everything that was seen, one line a thing, after what differs on purpose is taken out.
fn shown(case: &Case, got: &Got, arrived: &[Message], counted: &BTreeMap<String, f64>, lines: &[Value]) -> Vec<String> {
    let mut shown = Vec::new();
    if !matches!(case.differs, Some(Intended::StreamError | Intended::LostResponse)) {
        shown.push(format!("whole: {}", got.is_whole));
    }
    if case.differs.is_none_or(|differs| !differs.may_lose_response()) {
        shown.push(format!("status: {} after {:?}", got.status, got.interim));
        shown.push(format!("body: {}", text_without_ids(got)));
        let is_shown = |name: &str| {
            let is_cors = name.starts_with("access-control-") || name == "vary";
            !(NOT_COMPARED.contains(&name) || case.differs == Some(Intended::UnreadHead) && is_cors)
        };
        let headers = got.headers.iter().filter(|(name, _)| is_shown(name));
        shown.extend(headers.map(|(name, value)| format!("answered: {name}: {value}")));
    }
    shown.extend(arrived.iter().map(|message| format!("arrived: {}", normal_request(message))));
    for (series, value) in counted {
        // Those that the grammar of HTTP/1.1 rejects are counted by its reasons.
        let is_grammar = series.starts_with("s3cors_declines_total");
        let is_decision =
            ["decisions", "rule_hits"].iter().any(|name| series.starts_with(&format!("s3cors_{name}_total")))
                || series.contains("method=");
        let is_bytes = series.starts_with("s3cors_http_response_bytes_total");
        let is_left_out = match case.differs {
            Some(Intended::UnreadHead) => is_decision || is_bytes,
            Some(Intended::StreamError) => is_bytes,
            Some(Intended::BrokenOff) => is_bytes,
            _ => false,
        };
        if !is_grammar && !is_left_out {
            shown.push(format!("counted: {series} {value}"));
        }
    }
    if case.differs != Some(Intended::UnreadHead) {
        shown.extend(lines.iter().map(|line| format!("logged: {}", normal_line(case, line.clone()))));
    }
    shown.sort();
    shown
}

fn text_without_ids(got: &Got) -> String {
    let mut text = got.body.escape_ascii().to_string();
    for (_, id) in got.headers.iter().filter(|(name, value)| name.starts_with("x-amz-") && value.len() >= 16) {
        text = text.replace(id, "<id>");
    }
    text
}

/// The lines in order of their names, since each protocol has the host in its own place.
fn normal_request(message: &Message) -> String {
    let mut lines: Vec<_> =
        message.lines.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    for (_, value) in lines.iter_mut().filter(|(name, _)| name == "x-forwarded-proto") {
        *value = "<scheme>".to_owned();
    }
    lines.sort();
    let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{} | {} || {}", message.first_line, lines.join(" | "), message.body.escape_ascii())
}

/// An access line without what is different in each exchange.
fn normal_line(case: &Case, mut line: Value) -> String {
    let fields = line.as_object_mut().unwrap();
    for name in NAMES {
        fields.remove(name);
    }
    if matches!(case.differs, Some(Intended::StreamError | Intended::BrokenOff)) {
        fields.remove("bytes");
    }
    // Each protocol has its own words for the part of a head that is not valid.
    if fields.get("reason").is_some_and(|reason| reason == "malformed") {
        fields.remove("detail");
    }
    for name in ["upstream", "upstream_time"] {
        if fields.get(name).is_some_and(|value| !value.is_null()) {
            fields.insert(name.to_owned(), "some".into());
        }
    }
    line.to_string()
}

fn differences(seen: &[(String, &Vec<String>); 2]) -> String {
    let mut text = String::new();
    for (at, other) in [(0, 1), (1, 0)] {
        let (name, lines) = &seen[at];
        for line in lines.iter().filter(|line| !seen[other].1.contains(line)) {
            text.push_str(&format!("  {name} {}\n", &line[..line.len().min(700)]));
        }
    }
    text
}

/// Speaks HTTP/1.1.
fn http1(address: SocketAddr, case: &Case) -> Got {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut head = [case.method.as_bytes(), b" ", &case.target, b" HTTP/1.1\r\n"].concat();
    head.extend_from_slice(format!("host: {}\r\n", case.host).as_bytes());
    for (name, value) in &case.lines {
        head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let length = |length: usize| format!("content-length: {length}\r\n\r\n").into_bytes();
    let (lines, body) = match &case.body {
        // RFC 9110 §8.6: a client says so; over HTTP/2 the end of the stream does.
        Body::None if case.states_no_body() => (length(0), Vec::new()),
        Body::None => (b"\r\n".to_vec(), Vec::new()),
        Body::Whole(body) | Body::Awaiting(body) => (length(body.len()), body.clone()),
        Body::Stopped(stated, body) => (length(*stated), body.clone()),
        Body::Streamed(body) => {
            let mut chunks = Vec::new();
            for chunk in body.chunks(10_000) {
                chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                chunks.extend_from_slice(&[chunk, b"\r\n"].concat());
            }
            (b"transfer-encoding: chunked\r\n\r\n".to_vec(), [&chunks[..], b"0\r\n\r\n"].concat())
        }
    };
    head.extend_from_slice(&lines);
    // A server that has refused the first bytes need not read the others.
    let _ = stream.write_all(&head);
    let mut bytes = Vec::new();
    if matches!(case.body, Body::Awaiting(_)) {
        read_until(&mut stream, &mut bytes, |bytes| !responses(bytes, &[&case.method], false).0.is_empty());
    }
    let _ = stream.write_all(&body);
    let is_final = |bytes: &[u8]| responses(bytes, &[&case.method], false).0.iter().any(Message::is_final);
    read_until(&mut stream, &mut bytes, is_final);
    let mut got = Got::default();
    for message in responses(&bytes, &[&case.method], true).0 {
        if !message.is_final() {
            got.interim.push(message.status());
            continue;
        }
        got.status = message.status();
        let lower = message.lines.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        (got.headers, got.body, got.is_whole) = (lower.collect(), message.body, message.is_whole);
        break;
    }
    got
}

fn read_until(stream: &mut TcpStream, bytes: &mut Vec<u8>, is_enough: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while !is_enough(bytes) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Speaks HTTP/2.
fn http2(mut connection: Http2, scheme: &str, case: &Case) -> Got {
    let mut head = vec![(":method".to_owned(), case.method.clone().into_bytes())];
    if case.method != "CONNECT" {
        head.push((":scheme".to_owned(), scheme.into()));
        head.push((":path".to_owned(), case.target.clone()));
    }
    head.push((":authority".to_owned(), case.host.clone().into()));
    head.extend(case.lines.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())));
    let stated = match &case.body {
        Body::Whole(body) | Body::Awaiting(body) => Some(body.len()),
        Body::Stopped(stated, _) => Some(*stated),
        Body::None | Body::Streamed(_) => None,
    };
    if let Some(stated) = stated {
        head.push(("content-length".to_owned(), stated.to_string().into()));
    }
    let stream = connection.begin(&head, matches!(case.body, Body::None));
    match &case.body {
        Body::None => {}
        Body::Awaiting(body) => {
            while !connection.is_answered(stream) && connection.read() {}
            connection.upload(stream, body, true);
        }
        Body::Whole(body) | Body::Streamed(body) => drop(connection.upload(stream, body, true)),
        Body::Stopped(_, body) => drop(connection.upload(stream, body, false)),
    }
    let answer = connection.answer(stream);
    let is_whole = answer.ended == Ended::Cleanly;
    Got { interim: answer.interim, status: answer.status, headers: answer.headers, body: answer.body, is_whole }
}
