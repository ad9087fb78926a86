//! The program under test, as a process of its own.

use super::http::{Connection, Response, fetch, request};
use super::{DEADLINE, eventually};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_s3cors");

/// Whether the tests run with our own HTTP/1.1 driver, as users do; `S3CORS_TEST_HTTP1=pingora` runs them with Pingora's.
pub fn is_own() -> bool {
    std::env::var("S3CORS_TEST_HTTP1").as_deref() != Ok("pingora")
}

/// The arguments with the driver that the tests run with: in the configuration that they name, or in one of its own.
fn with_driver(arguments: &[&str]) -> (Vec<String>, Option<tempfile::NamedTempFile>) {
    let mut arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    if is_own() {
        return (arguments, None);
    }
    let config = arguments.iter().position(|argument| argument == "--config");
    let given = config.map(|at| std::fs::read_to_string(&arguments[at + 1]).unwrap()).unwrap_or_default();
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), format!("{given}\ndrivers: pingora\n")).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    match config {
        Some(at) => arguments[at + 1] = path,
        None => arguments.extend(["--config".to_owned(), path]),
    }
    (arguments, Some(file))
}

/// A running proxy; it is killed when dropped.
pub struct Proxy {
    process: Child,
    /// For S3 clients.
    pub address: SocketAddr,
    /// For operators.
    pub admin: SocketAddr,
    log: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Proxy {
    /// Serves these rules in front of this upstream, with `s3.example.test` as domain and on ports of the system's choice.
    pub fn start(rules: &Path, upstream: SocketAddr) -> Self {
        Self::start_with(rules, &format!("http://{upstream}"), &[])
    }

    /// The same with further arguments; an address among them replaces the usual one.
    pub fn start_with(rules: &Path, upstream: &str, arguments: &[&str]) -> Self {
        let (arguments, _config) = with_driver(arguments);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--upstream", upstream, "--domain", "s3.example.test"]);
        command.arg("--rules").arg(rules).args(&arguments);
        for (flag, address) in [("--listen", "127.0.0.1:0"), ("--admin", "127.0.0.1:0")] {
            if !arguments.contains(&flag) {
                command.args([flag, address]);
            }
        }
        Self::spawn(command)
    }

    /// Runs a command that serves, and waits until it does.
    pub fn spawn(command: Command) -> Self {
        let mut proxy = Self::launch(command);
        let ready = proxy.wait_for_log("s3cors is ready");
        let address = |text: &serde_json::Value| {
            text.as_str().unwrap().trim_matches(['[', ']']).split(',').next().unwrap().parse().unwrap()
        };
        proxy.address = address(&ready["listen"]);
        proxy.admin = address(&ready["admin"]);
        proxy
    }

    /// Runs a command that serves on these addresses and may log nothing, and waits until it is ready.
    pub fn spawn_at(command: Command, address: SocketAddr, admin: SocketAddr) -> Self {
        let mut proxy = Self::launch(command);
        proxy.await_readiness(address, admin);
        proxy
    }

    fn await_readiness(&mut self, address: SocketAddr, admin: SocketAddr) {
        (self.address, self.admin) = (address, admin);
        eventually("the proxy is ready", || {
            assert!(self.is_running(), "the proxy ended: {:#?}", self.log());
            TcpStream::connect(admin).ok()?;
            (self.ask("GET", "/readyz").status == 200).then_some(())
        });
    }

    /// The same, but its log stays in the pipe until [`read_log`](Self::read_log).
    pub fn spawn_unread(command: Command, address: SocketAddr, admin: SocketAddr) -> (Self, ChildStdout) {
        let (mut proxy, output) = Self::launch_unread(command);
        proxy.await_readiness(address, admin);
        (proxy, output)
    }

    fn launch(command: Command) -> Self {
        let (proxy, output) = Self::launch_unread(command);
        proxy.read_log(output);
        proxy
    }

    fn launch_unread(mut command: Command) -> (Self, ChildStdout) {
        let mut process = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let output = process.stdout.take().unwrap();
        (Self { process, address: ([0; 4], 0).into(), admin: ([0; 4], 0).into(), log: Arc::default() }, output)
    }

    /// Reads the log from now on.
    pub fn read_log(&self, output: ChildStdout) {
        let lines = BufReader::new(output).lines();
        let written = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(serde_json::Value::String(line));
                written.lock().unwrap().push(line);
            }
        });
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// One request to the proxy, on a connection of its own.
    pub fn fetch(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        fetch(self.address, method, target, headers)
    }

    /// The preflight that a browser sends.
    pub fn preflight(&self, target: &str, origin: &str, method: &str) -> Response {
        self.fetch("OPTIONS", target, &[("Origin", origin), ("Access-Control-Request-Method", method)])
    }

    /// One request to the admin listener, by its address.
    pub fn ask(&self, method: &str, target: &str) -> Response {
        self.ask_with(method, target, &[])
    }

    /// The same with headers; a Host among them replaces the address.
    pub fn ask_with(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        let admin = self.admin.to_string();
        let is_host = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case("host");
        let host = [("Host", admin.as_str())].into_iter().filter(|_| !headers.iter().any(is_host));
        let headers: Vec<_> = host.chain(headers.iter().copied()).collect();
        Connection::open(self.admin).send(request(method, target, &headers, "")).receive_to(method)
    }

    /// The value of a metric by its name and labels as they are written, such as `s3cors_decisions_total{bucket="b",…}`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.ask("GET", "/metrics").text();
        let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// What was logged so far: JSON lines as values, anything else as a string.
    pub fn log(&self) -> Vec<serde_json::Value> {
        self.log.lock().unwrap().clone()
    }

    /// What was logged since so many lines.
    pub fn log_since(&self, mark: usize) -> Vec<serde_json::Value> {
        self.log.lock().unwrap()[mark..].to_vec()
    }

    /// Waits for a line with this message.
    pub fn wait_for_log(&mut self, message: &str) -> serde_json::Value {
        let started = Instant::now();
        loop {
            if let Some(line) = self.log().into_iter().find(|line| line["message"] == message) {
                return line;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the proxy ended ({ended:?}) before {message:?}: {:#?}", self.log());
            assert!(started.elapsed() < DEADLINE, "no log line {message:?}: {:#?}", self.log());
            std::thread::park_timeout(std::time::Duration::from_millis(2));
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal by name (`TERM`, `HUP`).
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the process.
    pub fn wait_for_exit(&mut self) -> std::process::ExitStatus {
        eventually("the process ends", || self.process.try_wait().unwrap())
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Resident memory in KiB, now and at its highest.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").trim().parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
