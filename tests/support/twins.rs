//! Two proxies with the same rules before the same kind of upstream, one with each HTTP/1.1 driver, and what can be seen of an
//! exchange: the requests that arrive at the upstream, the responses that the client gets, the counters, the access lines.

use super::messages::{Message, requests, responses};
use super::process::{ConfigFile, s3cors};
use super::proxy::Proxy;
use super::rules::Rules;
use super::upstream::{Served, Upstream};
use super::{DEADLINE, eventually};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// Asked for after each case where the connection stays open: it shows that it does, and ends it.
pub const PROBE: &str = "GET /bucket/probe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const PROBE_ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe";

/// What the upstream does with a request.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Whether it answers the head, without the body.
    pub is_early: bool,
    /// Whether it asks for a body with 100 first.
    pub asks: bool,
    /// What it sends. A part is sent once the one before it was read.
    pub sends: Vec<Vec<u8>>,
    /// Whether it closes then.
    pub closes: bool,
}

/// One proxy and its upstream.
pub struct Stage {
    pub proxy: Proxy,
    pub upstream: Upstream,
    plan: Arc<Mutex<Plan>>,
    /// What each connection of the upstream has brought and was not yet read.
    unread: BTreeMap<usize, Vec<u8>>,
    reads: usize,
    log_lines: usize,
    counters: BTreeMap<String, f64>,
}

/// What a client does.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it sends. Between two parts it waits for an interim response.
    pub sends: Vec<Vec<u8>>,
    /// The methods of its requests.
    pub methods: Vec<&'static str>,
    /// Whether it ends its side then.
    pub half_closes: bool,
}

/// What can be seen of an exchange.
#[derive(Debug)]
pub struct Seen {
    pub arrived: Vec<Message>,
    pub answered: Vec<Message>,
    /// What came after the last response.
    pub leftover: Vec<u8>,
    pub counted: BTreeMap<String, f64>,
}

impl Seen {
    /// How many requests were counted.
    pub fn requests(&self) -> f64 {
        let requests = self.counted.iter().filter(|(series, _)| series.starts_with("s3cors_http_requests_total"));
        requests.map(|(_, count)| count).sum()
    }
}

impl Stage {
    pub fn new(rules: &Rules, driver: &str, configuration: &str, domains: &[&str]) -> Self {
        Self::with(|upstream| start(rules, driver, configuration, upstream, domains))
    }

    /// A proxy before the upstream at the address that this is given.
    pub fn with(start: impl FnOnce(SocketAddr) -> Proxy) -> Self {
        let plan = Arc::new(Mutex::new(Plan::default()));
        let current = Arc::clone(&plan);
        let upstream = Upstream::scripted(move |served| serve(served, &current));
        let proxy = start(upstream.address);
        let (unread, counters) = (BTreeMap::new(), counters(&proxy));
        Self { proxy, upstream, plan, unread, reads: 0, log_lines: 0, counters }
    }

    /// What the upstream does from now on.
    pub fn plan(&self, plan: &Plan) {
        *self.plan.lock().unwrap() = plan.clone();
    }

    /// Lets a client have its exchange with an upstream that has this plan.
    pub fn run(&mut self, script: &Script, plan: &Plan) -> Seen {
        let converse = |address| converse(TcpStream::connect_timeout(&address, DEADLINE).unwrap(), script);
        let (bytes, arrived, counted) = self.observe(plan, converse);
        let methods: Vec<_> = script.methods.iter().copied().chain(["GET"]).collect();
        let (answered, read) = responses(&bytes, &methods, true);
        Seen { arrived, answered, leftover: bytes[read..].to_vec(), counted }
    }

    /// Lets a client do something with an upstream that has this plan. Gives what came of it, arrived and was counted.
    pub fn observe<T>(
        &mut self,
        plan: &Plan,
        client: impl FnOnce(SocketAddr) -> T,
    ) -> (T, Vec<Message>, BTreeMap<String, f64>) {
        self.plan(plan);
        let seen = client(self.proxy.address);
        let counted = self.counted();
        (seen, self.arrived(), counted)
    }

    /// The whole requests that came since the last call.
    fn arrived(&mut self) -> Vec<Message> {
        let reads = self.upstream.wire_since(self.reads);
        self.reads += reads.len();
        let mut order = Vec::new();
        for (connection, bytes) in reads {
            if !order.contains(&connection) {
                order.push(connection);
            }
            self.unread.entry(connection).or_default().extend_from_slice(&bytes);
        }
        let mut all = Vec::new();
        for connection in order {
            let unread = self.unread.get_mut(&connection).unwrap();
            let (messages, read) = requests(unread);
            unread.drain(..read);
            all.extend(messages);
        }
        all
    }

    /// What was counted since the last call, once nothing is in flight and no client is connected.
    fn counted(&mut self) -> BTreeMap<String, f64> {
        eventually("every exchange has ended", || {
            let now = counters(&self.proxy);
            let gauges = ["s3cors_http_requests_in_flight", "s3cors_connections_open"];
            gauges.iter().all(|name| now[*name] == 0.0).then_some(())
        });
        // One reading is no snapshot: a counter may have been read before the last exchange ended, and the gauges after it.
        let now = counters(&self.proxy);
        let before = std::mem::replace(&mut self.counters, now.clone());
        let since = now.into_iter().map(|(series, value)| {
            let since = value - before.get(&series).copied().unwrap_or_default();
            (series, since)
        });
        since.filter(|(_, value)| *value != 0.0).collect()
    }

    /// The access lines since the mark, and the next mark.
    pub fn access_lines(&self) -> (Vec<serde_json::Value>, usize) {
        let lines = self.proxy.log_since(self.log_lines);
        let mark = self.log_lines + lines.len();
        (lines.into_iter().filter(|line| line["target"] == "access").collect(), mark)
    }

    pub fn forget_access_lines_before(&mut self, mark: usize) {
        self.log_lines = mark;
    }
}

/// A proxy with this driver, whatever driver the other tests run with.
pub fn start(rules: &Rules, driver: &str, configuration: &str, upstream: SocketAddr, domains: &[&str]) -> Proxy {
    let config = ConfigFile::new(&format!("drivers: {driver}\n{configuration}"));
    let url = format!("http://{upstream}");
    let mut command = s3cors(&["serve", "--upstream", &url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.arg("--rules").arg(rules.path()).arg("--config").arg(config.path());
    for domain in domains {
        command.args(["--domain", domain]);
    }
    Proxy::spawn(command)
}

/// Serves one connection of the upstream as the plan says that holds when a request comes.
fn serve(served: &mut Served, plan: &Mutex<Plan>) {
    served.keep_every_byte();
    while let Some(request) = served.request_head() {
        if request.request_line().starts_with("GET /bucket/probe ") {
            served.send(PROBE_ANSWER);
            continue;
        }
        let plan = plan.lock().unwrap().clone();
        if plan.asks {
            served.send("HTTP/1.1 100 Continue\r\n\r\n");
        }
        if !plan.is_early && served.body(&request).is_none() {
            return;
        }
        for (number, piece) in plan.sends.iter().enumerate() {
            if number > 0 {
                served.wait_until_read();
            }
            if !served.send(piece) {
                return;
            }
        }
        if plan.closes {
            return;
        }
    }
}

/// Sends what the script says and, where the connection stays open, the probe. Returns every byte that came.
fn converse(mut stream: TcpStream, script: &Script) -> Vec<u8> {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut bytes = Vec::new();
    for (number, piece) in script.sends.iter().enumerate() {
        // A server that has refused the first bytes need not read the others.
        let _ = stream.write_all(piece);
        let is_last = number + 1 == script.sends.len();
        if !is_last
            && !read_until(&mut stream, &mut bytes, |bytes| !responses(bytes, &script.methods, false).0.is_empty())
        {
            return bytes;
        }
    }
    if script.half_closes {
        let _ = stream.shutdown(Shutdown::Write);
        read_until(&mut stream, &mut bytes, |_| false);
        return bytes;
    }
    let finals = script.methods.len();
    let answers = |bytes: &[u8]| responses(bytes, &script.methods, false).0;
    let is_open = read_until(&mut stream, &mut bytes, |bytes| {
        answers(bytes).iter().filter(|answer| answer.is_final()).count() == finals
    });
    if is_open && answers(&bytes).last().is_some_and(|last| last.value("connection") == Some("close")) {
        // A client that is told so sends no more. Pingora waits for the rest of an upload otherwise.
        let _ = stream.shutdown(Shutdown::Write);
    } else if is_open {
        let _ = stream.write_all(PROBE.as_bytes());
    }
    read_until(&mut stream, &mut bytes, |_| false);
    bytes
}

/// Reads until that is enough, or the connection ends: then `false`.
fn read_until(stream: &mut TcpStream, bytes: &mut Vec<u8>, is_enough: impl Fn(&[u8]) -> bool) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    while !is_enough(bytes) {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return false,
            Err(error) => panic!("{error} after {}", bytes.escape_ascii()),
        }
    }
    true
}

/// Every counter, the gauges of what goes on, and how often each duration was taken.
fn counters(proxy: &Proxy) -> BTreeMap<String, f64> {
    let text = proxy.ask("GET", "/metrics").text();
    let series = text.lines().filter(|line| line.starts_with("s3cors_")).filter_map(|line| line.rsplit_once(' '));
    let is_wanted = |series: &str| {
        let name = series.split('{').next().unwrap_or_default();
        ["_total", "_count", "_in_flight", "_open"].iter().any(|end| name.ends_with(end))
    };
    series
        .filter(|(series, _)| is_wanted(series))
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}
