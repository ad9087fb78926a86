//! Both HTTP/1.1 drivers have the same exchanges: our own loop must send upstream, respond, count and log as Pingora's `HttpProxy`
//! does, except for the differences that are written down here with their reasons.

mod answers;
mod bodies;
mod conversations;
mod corpora;
mod heads;
mod odd;
mod planned;
mod splits;

use crate::support::messages::{Message, strict_requests};
use crate::support::rules::Rules;
use crate::support::twins::{Plan, Script, Seen, Stage};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The usual response of the upstream.
pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nbody";

/// Response lines that the proxy may write itself: the case of their names is not compared.
const OURS: [&str; 7] =
    ["server", "connection", "transfer-encoding", "vary", "content-length", "content-type", "x-s3cors-decision"];

/// What one of the drivers does otherwise on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intended {
    /// The decoder takes no whitespace in a size line of a request, no extension of more than 256 bytes and no trailer that is not a header
    /// line: other decoders read each of these otherwise. A response whose first chunk is none is 502, as long as nothing was sent.
    StrictChunks,
    /// A response whose length two parsers could read otherwise is 502, so that no client reads another one than the proxy did.
    StrictResponse,
    /// For a client of HTTP/1.0 that sends no `Host`, a line is written (RFC 9112 §3.2): in lower case and first, last by Pingora. It
    /// names the upstream unless the target has an authority, and each of the two has another upstream.
    HostOfUpstream,
    /// A response that HTTP lets a recipient repair is repaired, for clients of every protocol alike. Pingora passes some on as they came,
    /// and takes others for no response.
    Repaired,
    /// Headers that an upstream's `Connection` names end here (RFC 9110 §7.6.1).
    Nominated,
    /// Of a body that breaks off, the bytes that came are counted; Pingora counts whole chunks.
    BytesOfBrokenBody,
    /// A client that goes away after `100 Continue` had no response: 499. Pingora counts the 100.
    GoneAfterContinue,
    /// `Transfer-Encoding` on a response that cannot have a body ends here (RFC 9112 §6.1).
    NoBodyNoCoding,
    /// A body that came with its head and that no one needs is skipped and counted, and the connection can stay open.
    SkippedBody,
}

impl Intended {
    /// Whether it is one thing that can be taken out, after which everything else must be the same.
    const fn is_taken_out(self) -> bool {
        matches!(self, Self::BytesOfBrokenBody | Self::GoneAfterContinue)
    }
}

/// One exchange.
pub struct Case {
    pub name: String,
    pub script: Script,
    pub plan: Plan,
    pub differs: Option<Intended>,
}

impl Case {
    /// A request that the upstream answers as usual.
    pub fn new(sent: impl AsRef<[u8]>) -> Self {
        let sent = sent.as_ref();
        let name = sent[..sent.len().min(200)].escape_ascii().to_string();
        let method = if sent.starts_with(b"HEAD ") { "HEAD" } else { "GET" };
        let script = Script { sends: vec![sent.to_vec()], methods: vec![method], half_closes: false };
        let plan = Plan { sends: vec![OK.into()], ..Plan::default() };
        Self { name, script, plan, differs: None }
    }

    /// The same with another response.
    pub fn answered(self, answer: impl AsRef<[u8]>) -> Self {
        let answer = answer.as_ref();
        let name = format!("{} answered with {}", self.name, answer[..answer.len().min(200)].escape_ascii());
        Self { name, plan: Plan { sends: vec![answer.to_vec()], ..self.plan }, ..self }
    }

    /// The upstream closes after its response.
    pub fn then_closed(self) -> Self {
        Self { plan: Plan { closes: true, ..self.plan }, ..self }
    }

    pub fn differing(self, intended: Intended) -> Self {
        Self { differs: Some(intended), ..self }
    }
}

/// Both proxies.
pub struct Twins {
    own: Stage,
    pingora: Stage,
    failures: Vec<String>,
    cases: usize,
    arrived: usize,
    logged: usize,
    _rules: Rules,
}

impl Twins {
    pub fn new() -> Self {
        Self::with(Rules::usual(), "cors: {debug_header: true}\n", &["s3.example.test"])
    }

    pub fn with(rules: Rules, configuration: &str, domains: &[&str]) -> Self {
        let [own, pingora] = ["own", "pingora"].map(|driver| Stage::new(&rules, driver, configuration, domains));
        Self { own, pingora, failures: Vec::new(), cases: 0, arrived: 0, logged: 0, _rules: rules }
    }

    /// Runs a case with both, and keeps what differs.
    pub fn check(&mut self, case: &Case) {
        let mut own = self.own.run(&case.script, &case.plan);
        let mut pingora = self.pingora.run(&case.script, &case.plan);
        if case.plan.sends.iter().all(Vec::is_empty) {
            // Closed without a response on a connection that was kept, it is sent once more.
            own.arrived.dedup();
            pingora.arrived.dedup();
        }
        self.cases += 1;
        self.arrived += own.arrived.len();
        assert_arrived_as_sent(case, &own);
        let lines = self.access_lines([&own, &pingora].map(Seen::requests));
        self.logged += lines[0].len();
        let seen = [shown(&own, &lines[0]), shown(&pingora, &lines[1])];
        let seen = seen.map(|shown| without(shown, case.differs));
        let differs = case.differs.filter(|intended| !intended.is_taken_out());
        match (differs, seen[0] == seen[1]) {
            (None, true) | (Some(_), false) => {}
            (None, false) => self.failures.push(format!("{}\n{}", case.name, differences(&seen))),
            (Some(intended), true) => self.failures.push(format!("{}\n  is no longer {intended:?}", case.name)),
        }
    }

    /// Fails with all cases that differ. So many cases, requests at the upstream and access lines there must have been at least.
    pub fn finish(self, cases: usize, arrived: usize, logged: usize) {
        let found = (self.cases, self.arrived, self.logged);
        println!("{found:?} cases, requests at the upstream, access lines");
        assert!(self.failures.is_empty(), "{} of {}:\n{}", self.failures.len(), self.cases, self.failures.join("\n"));
        assert!(found.0 >= cases && found.1 >= arrived && found.2 >= logged, "{found:?}");
    }

    /// The different access lines of both, once both have the same, and as many as they counted requests. They are written after the
    /// response, so that the line of a probe may come with the next case: their order and their number are not compared, the counters
    /// of requests are. There is none for a request that was refused before it was one.
    fn access_lines(&mut self, counted: [f64; 2]) -> [Vec<Value>; 2] {
        let started = Instant::now();
        loop {
            let [(own, own_mark), (pingora, pingora_mark)] = [&self.own, &self.pingora].map(|stage| {
                let (lines, mark) = stage.access_lines();
                (lines.into_iter().map(normal_line).collect::<Vec<_>>(), mark)
            });
            let has_all = [&own, &pingora].iter().zip(counted).all(|(lines, counted)| lines.len() as f64 >= counted);
            let is_all = has_all || started.elapsed() > Duration::from_millis(400);
            let [own, pingora] = [own, pingora].map(different_lines);
            if (own == pingora && is_all) || started.elapsed() > Duration::from_secs(3) {
                self.own.forget_access_lines_before(own_mark);
                self.pingora.forget_access_lines_before(pingora_mark);
                return [own, pingora];
            }
            std::thread::yield_now();
        }
    }
}

/// What a second, strict reader finds on the upstream's connections is what a strict reader finds in what the client sent, in order,
/// and nothing else: never two requests for one.
fn assert_arrived_as_sent(case: &Case, own: &Seen) {
    let sent = [case.script.sends.concat(), crate::support::twins::PROBE.as_bytes().to_vec()].concat();
    let (sent, read) = strict_requests(&sent);
    // A head that the grammar rejects reaches no upstream, and neither does one whose body is cut off.
    if read == 0 {
        return;
    }
    let identity = |message: &Message| {
        let line = message.first_line.replacen("HTTP/1.0", "HTTP/1.1", 1);
        (line, message.body.clone(), message.value("x-id").map(str::to_owned))
    };
    let mut sent = sent.iter().map(identity);
    for arrived in own.arrived.iter().map(identity) {
        assert!(sent.any(|sent| sent == arrived), "{}: {arrived:?} was not sent", case.name);
    }
}

fn different_lines(mut lines: Vec<Value>) -> Vec<Value> {
    lines.sort_by_cached_key(Value::to_string);
    lines.dedup();
    lines
}

fn without(mut shown: Vec<String>, differs: Option<Intended>) -> Vec<String> {
    match differs {
        Some(Intended::BytesOfBrokenBody) => {
            shown.retain(|line| !line.starts_with("counted: s3cors_http_request_bytes_total"));
        }
        Some(Intended::GoneAfterContinue) => {
            for line in &mut shown {
                *line = line.replace("code=\"100\"", "code=\"499\"").replace("\"status\":100", "\"status\":499");
            }
        }
        _ => {}
    }
    shown
}

/// Without what is different in each exchange.
fn normal_line(mut line: Value) -> Value {
    for field in ["timestamp", "request_id", "client", "duration"] {
        assert!(line.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    if line["upstream_time"].is_number() {
        line["upstream_time"] = "some".into();
    }
    // Pingora does not say which part of a body is not valid.
    if line["reason"] == "malformed" && line["detail"].is_string() {
        line["detail"] = "some".into();
    }
    // Each of the two has another upstream.
    if line["upstream"].is_string() {
        line["upstream"] = "some".into();
    }
    line
}

/// What was seen, one line a thing, after what differs on purpose is taken out.
fn shown(seen: &Seen, lines: &[Value]) -> Vec<String> {
    let mut shown = Vec::new();
    shown.extend(seen.arrived.iter().map(|message| format!("arrived: {}", normal_request(message))));
    shown.extend(seen.answered.iter().map(|message| format!("answered: {}", normal_response(message))));
    shown.push(format!("leftover: {}", seen.leftover.escape_ascii()));
    shown.extend(seen.counted.iter().map(|(series, value)| format!("counted: {series} {value}")));
    shown.extend(lines.iter().map(|line| format!("logged: {line}")));
    shown
}

/// A message whose chunks are undone: where a chunk ends is the sender's affair. Whitespace around values and reason phrases, which
/// say nothing, stay as they came with our own driver and are written anew by Pingora.
fn normal(message: &Message) -> String {
    let mut text = message.first_line.split(' ').take(3).collect::<Vec<_>>().join(" ");
    for (name, value) in &message.lines {
        text.push_str(&format!(" | {name}: {value}"));
    }
    let end = if message.is_whole { "whole" } else { "cut off" };
    format!("{text} || {} bytes, {end}: {}", message.body.len(), message.body.escape_ascii())
}

/// Pingora writes a body's coding anew, after the other lines.
fn normal_request(message: &Message) -> String {
    let mut message = message.clone();
    let is_coding = |name: &str| name.eq_ignore_ascii_case("transfer-encoding");
    // Lines keep their order with our own driver. Where one ends here, Pingora puts the last in its place, and a line that both add after
    // those of its name; their own order it keeps.
    message.lines.sort_by_key(|(name, _)| (is_coding(name), name.to_ascii_lowercase()));
    for (_, value) in message.lines.iter_mut().filter(|(name, _)| is_coding(name)) {
        value.make_ascii_lowercase();
    }
    normal(&message)
}

fn normal_response(message: &Message) -> String {
    let mut message = message.clone();
    // The version is our own (RFC 9110 §2.5); Pingora repeats the upstream's. The reason is the upstream's with our own driver;
    // Pingora writes the standard one.
    message.first_line = message.status().to_string();
    // The upstream's own Date stays with our own driver, even where there is none; Pingora sets its own (RFC 9110 §6.6.1 asks for
    // one only where a server has a clock, and the upstream knows better when it made the response).
    message.lines.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
    let id = message.value("x-amz-request-id").map(str::to_owned);
    let host = message.value("x-amz-id-2").map(str::to_owned);
    for (name, _) in &mut message.lines {
        let lower = name.to_ascii_lowercase();
        if OURS.contains(&lower.as_str()) || lower.starts_with("access-control-") {
            *name = lower;
        }
    }
    // Lines keep their order with our own driver. Pingora puts those of one name together; their own order it keeps.
    message.lines.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    let mut text = normal(&message);
    for made in [id, host].into_iter().flatten().filter(|made| made.len() >= 16) {
        text = text.replace(&made, "<id>");
    }
    text
}

fn differences(seen: &[Vec<String>; 2]) -> String {
    let mut text = String::new();
    for (name, one, other) in [("own", &seen[0], &seen[1]), ("pingora", &seen[1], &seen[0])] {
        for line in one.iter().filter(|line| !other.contains(line)) {
            text.push_str(&format!("  {name} {}\n", &line[..line.len().min(1000)]));
        }
    }
    if text.is_empty() { "  in order or number".to_owned() } else { text }
}
