//! The program run to its end, and what it said; configuration files and addresses for it.

use super::proxy::{PROGRAM, Proxy};
use super::store::{ACCESS_KEY, REGION, SECRET_KEY};
use super::{DEADLINE, eventually};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// The program with these arguments, and without settings from the environment of the tests.
pub fn s3cors(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("S3CORS_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Ended {
    run_to_end(s3cors(arguments), "")
}

/// Runs a command to its end, with this on its standard input; one that does not end in time is killed and a failure.
pub fn run_to_end(mut command: Command, input: &str) -> Ended {
    let started = Instant::now();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = KilledOnDrop(child);
    // A program that does not read its input closes it: that is for its output to judge.
    let _ = child.0.stdin.take().unwrap().write_all(input.as_bytes());
    let stdout = reader(child.0.stdout.take().unwrap());
    let stderr = reader(child.0.stderr.take().unwrap());
    let status = eventually("the process ends", || child.0.try_wait().unwrap());
    let took = started.elapsed();
    Ended { code: status.code(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap(), took }
}

fn reader(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that nothing listens on: below the ports that the system gives out by itself, so that no other test gets it.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 200).unwrap() * 100;
    let started = Instant::now();
    while started.elapsed() < DEADLINE {
        let address = SocketAddr::from(([127, 0, 0, 1], first + NEXT.fetch_add(1, Ordering::Relaxed)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free");
}

/// A configuration file that goes when the test does.
pub struct ConfigFile {
    directory: TempDir,
}

impl ConfigFile {
    pub fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("s3cors.yaml"), text).unwrap();
        Self { directory }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("s3cors.yaml")
    }

    /// The path as an argument.
    pub fn argument(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }
}

/// For tests that compare every byte: nothing about the client is added to what it sent.
pub const AS_IT_CAME: &str = "forwarded: {mode: off}\n";

/// A proxy with these rules, this upstream and this configuration file.
pub fn configured(rules: &Path, upstream: SocketAddr, configuration: &str) -> Proxy {
    let file = ConfigFile::new(configuration);
    Proxy::start_with(rules, &format!("http://{upstream}"), &["--config", &file.argument()])
}

/// The same with a configuration that says itself where the proxy listens.
pub fn listening(rules: &Path, upstream: SocketAddr, configuration: &str) -> Proxy {
    let file = ConfigFile::new(&format!("admin: 127.0.0.1:0\n{configuration}"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules).args(["--upstream", &format!("http://{upstream}")]);
    Proxy::spawn(command)
}

/// A proxy that listens anywhere and has the store's keys to sign with.
pub fn signing(rules: &Path, upstream: SocketAddr, configuration: &str) -> Proxy {
    Proxy::spawn(signing_command(rules, upstream, &ConfigFile::new(&anywhere(configuration))))
}

/// A configuration that listens anywhere, for both versions of HTTP.
pub fn anywhere(configuration: &str) -> String {
    format!("listen: {{address: '127.0.0.1:0', http2: true}}\nadmin: 127.0.0.1:0\n{configuration}")
}

/// The command of a proxy that has the store's keys to sign with.
pub fn signing_command(rules: &Path, upstream: SocketAddr, file: &ConfigFile) -> Command {
    let mut command = without_keys(rules, upstream, file);
    command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY), ("AWS_REGION", REGION)]);
    command
}

/// The command of a proxy that finds no keys, whatever machine it runs on.
pub fn without_keys(rules: &Path, upstream: SocketAddr, file: &ConfigFile) -> Command {
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules).args(["--upstream", &format!("http://{upstream}")]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    let home = file.path().parent().unwrap().to_owned();
    command.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}
