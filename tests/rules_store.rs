//! Rules in a bucket: several proxies read and write the same ones, none loses an update, and none needs the store to serve.
//!
//! The store is MinIO where `MINIO` names its program, as in the end-to-end tests; otherwise s3s-fs, which is not written to by two at
//! the same time here: it looks at a condition first and writes afterwards.

use crate::support::eventually;
use crate::support::http::{Connection, request};
use crate::support::process::{ConfigFile, free_address, s3cors};
use crate::support::proxy::Proxy;
use crate::support::relay::Relay;
use crate::support::rules::allowing;
use crate::support::store::{ACCESS_KEY, SECRET_KEY, Store, client};
use crate::support::upstream::{Received, Upstream};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use s3_cors::{Document, Format};
use s3cors_proxy::config::{Config, ConfigFile as Settings};
use s3cors_proxy::rules::{Bucket, Store as Rules, source_of, watch};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// Tells a process of this test that it is a replica, and with which configuration.
const REPLICA: &str = "S3CORS_TEST_REPLICA";
const WRITES: u64 = 100;
/// What the documentation states for the poll of these tests: the poll, a list and a GET.
const AGREED_WITHIN: Duration = Duration::from_secs(2);
const POLL: &str = "500ms";

/// A server with a bucket for rules.
struct Server {
    address: SocketAddr,
    /// Whether it has conditions that hold for writers at the same time.
    is_atomic: bool,
    _minio: Option<(Killed, TempDir)>,
    _s3s: Option<Store>,
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start() -> Self {
        let server = match std::env::var_os("MINIO") {
            Some(minio) => {
                let (address, directory) = (free_address(), tempfile::tempdir().unwrap());
                let mut command = Command::new(minio);
                command.args(["server", "--quiet", "--address", &address.to_string()]).arg(directory.path());
                command.envs([("MINIO_ROOT_USER", ACCESS_KEY), ("MINIO_ROOT_PASSWORD", SECRET_KEY)]);
                command.envs([("MINIO_BROWSER", "off"), ("MINIO_UPDATE", "off")]).stdout(Stdio::null());
                let process = Killed(command.spawn().unwrap());
                Self { address, is_atomic: true, _minio: Some((process, directory)), _s3s: None }
            }
            None => {
                let store = Store::start();
                Self { address: store.address, is_atomic: false, _minio: None, _s3s: Some(store) }
            }
        };
        let runtime = runtime();
        eventually("the store has a bucket", || {
            runtime.block_on(client(server.address).create_bucket().bucket("rules").send()).ok()
        });
        server
    }

    fn client(&self) -> Client {
        client(self.address)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn settings(store: SocketAddr, copy: Option<&Path>) -> String {
    let copy = copy.map(|path| format!(", path: {}", path.display())).unwrap_or_default();
    format!(
        "log: {{access: false}}\nrules: {{source: store, poll: {POLL}, \
         store: {{endpoint: 'http://{store}', bucket: rules, prefix: cors}}{copy}}}\n"
    )
}

fn with_credentials(mut command: Command) -> Command {
    command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    command
}

/// A process that has the rules of the store and does what it is told.
struct Replica {
    _process: Killed,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _config: ConfigFile,
}

impl Replica {
    fn start(store: SocketAddr) -> Self {
        let config = ConfigFile::new(&format!("upstream: http://127.0.0.1:9\n{}", settings(store, None)));
        let mut command = with_credentials(Command::new(std::env::current_exe().unwrap()));
        command.args(["--exact", "rules_store::a_replica", "--nocapture"]).env(REPLICA, config.path());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { _process: Killed(process), input, output, _config: config }
    }

    fn ask(&mut self, what: &str) -> String {
        writeln!(self.input, "{what}").unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "{what}: the replica has ended");
            if let Some(answer) = line.strip_prefix("answer ") {
                return answer.trim_end().to_owned();
            }
        }
    }
}

/// Not a test: the process of a [`Replica`].
#[test]
fn a_replica() {
    let Some(path) = std::env::var_os(REPLICA) else { return };
    let config = Config::from_file(Settings::read(Path::new(&path)).unwrap()).unwrap();
    let rules = Arc::new(Rules::of(source_of(&config), config.cors.credentials.into()).unwrap());
    let _watch = watch(Arc::clone(&rules), config.rules.poll).unwrap();
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<_> = line.split(' ').collect();
        let second = |text: &str| SystemTime::UNIX_EPOCH + Duration::from_secs(text.parse().unwrap());
        let answer = match words.as_slice() {
            ["put", bucket, origin, at] => {
                let document = Document::parse(allowing(origin).as_bytes(), Format::Xml).unwrap();
                format!("{:?}", rules.put(bucket, document.configuration(), second(at)).map(|_| ()))
            }
            ["delete", bucket, at] => format!("{:?}", rules.delete(bucket, second(at)).map(|_| ())),
            ["live", bucket] => match rules.live().own(bucket).and_then(Bucket::configuration) {
                Some(configuration) => configuration.rules()[0].allowed_origins()[0].to_string(),
                None => "none".to_owned(),
            },
            _ => panic!("{line}"),
        };
        println!("\nanswer {answer}");
    }
}

const DONE: &str = "Ok(())";

#[test]
fn three_replicas_agree_and_no_write_is_lost() {
    let server = Server::start();
    let mut replicas: Vec<_> = (0..3).map(|_| Replica::start(server.address)).collect();
    let mut last = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for number in 1..=WRITES {
        let bucket = format!("bucket-{}", fastrand::u8(0..5));
        let origin = format!("https://v{number}.example");
        let replica = &mut replicas[fastrand::usize(0..3)];
        let is_removed = number % 10 == 0;
        let write =
            if is_removed { format!("delete {bucket} {number}") } else { format!("put {bucket} {origin} {number}") };
        assert_eq!(replica.ask(&write), DONE, "{write}");
        let live = if is_removed { "none".to_owned() } else { origin };
        assert_eq!(replica.ask(&format!("live {bucket}")), live, "live when it is answered");
        let stale = replicas[fastrand::usize(0..3)].ask(&format!("put {bucket} https://old.example {}", number - 1));
        assert!(stale.contains("Stale"), "{stale}");
        last.insert(bucket, live);
        if number % 20 == 0 {
            let written = Instant::now();
            for (bucket, live) in &last {
                for replica in &mut replicas {
                    eventually("the replicas agree", || {
                        (replica.ask(&format!("live {bucket}")) == *live).then_some(())
                    });
                }
            }
            slowest = slowest.max(written.elapsed());
        }
    }
    println!("slowest until all agreed, atomic {}: {slowest:?}", server.is_atomic);
    assert!(slowest < AGREED_WITHIN, "{slowest:?}");
}

#[test]
fn replicas_that_write_at_the_same_time_keep_the_write_that_was_signed_last() {
    let server = Server::start();
    if !server.is_atomic {
        return;
    }
    let (runtime, client) = (runtime(), server.client());
    let mut replicas: Vec<_> = (0..3).map(|_| Replica::start(server.address)).collect();
    for round in 0..WRITES / 3 {
        std::thread::scope(|scope| {
            for (at, replica) in (round * 3 + 1..).zip(&mut replicas) {
                scope.spawn(move || {
                    let answer = replica.ask(&format!("put shared https://v{at}.example {at}"));
                    assert!(answer == DONE || answer.contains("Stale"), "{answer}");
                });
            }
        });
        let kept = runtime.block_on(async {
            let get = client.get_object().bucket("rules").key("cors/shared.xml").send().await.unwrap();
            get.body.collect().await.unwrap().into_bytes()
        });
        let last = format!("https://v{}.example", round * 3 + 3);
        assert!(String::from_utf8_lossy(&kept).contains(&last), "{last} is lost: {kept:?}");
        replicas.rotate_left(1);
    }
    let last = format!("https://v{}.example", WRITES / 3 * 3);
    for replica in &mut replicas {
        eventually("the replicas agree", || (replica.ask("live shared") == last).then_some(()));
    }
}

#[test]
fn a_document_uploaded_by_hand_goes_live_and_keeps_its_form() {
    let server = Server::start();
    let (runtime, client) = (runtime(), server.client());
    let upload = |key: &str, text: &str| {
        let put = client.put_object().bucket("rules").key(key).body(ByteStream::from(text.as_bytes().to_vec()));
        runtime.block_on(put.send()).unwrap();
    };
    let json = r#"[{"AllowedOrigins":["https://hand.example"],"AllowedMethods":["GET"]}]"#;
    upload("cors/photos.json", json);
    upload("elsewhere/photos.xml", &allowing("https://elsewhere.example"));
    let mut replica = Replica::start(server.address);
    assert_eq!(replica.ask("live photos"), "https://hand.example");
    assert_eq!(replica.ask("put photos https://put.example 5"), DONE);
    upload("cors/videos.xml", &allowing("https://hand.example"));
    eventually("the upload is live", || (replica.ask("live videos") == "https://hand.example").then_some(()));
    assert_eq!(replica.ask("live photos"), "https://put.example");
    let list = runtime.block_on(client.list_objects_v2().bucket("rules").prefix("cors/").send()).unwrap();
    let keys: Vec<_> = list.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["cors/photos.json", "cors/videos.xml"]);
    runtime.block_on(client.delete_object().bucket("rules").key("cors/videos.xml").send()).unwrap();
    eventually("the removal is live", || (replica.ask("live videos") == "none").then_some(()));
}

#[test]
fn nothing_is_written_to_a_server_that_ignores_conditions() {
    let heedless = Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            let (status, body) = match line.split(' ').next() {
                Some("GET") => ("200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
                Some("PUT") => ("200 OK", ""),
                _ => ("404 Not Found", ""),
            };
            let length = body.len();
            served.send(format!("HTTP/1.1 {status}\r\nETag: \"1\"\r\nContent-Length: {length}\r\n\r\n{body}"));
        }
    });
    let answer = Replica::start(heedless.address).ask("put photos https://a.example 1");
    assert!(answer.contains("ReadOnly") && answer.contains("ignores conditions"), "{answer}");
    let lines: Vec<_> = heedless.received().iter().map(Received::request_line).collect();
    assert!(!lines.iter().any(|line| line.contains("photos")), "{lines:?}");
}

/// The proxy with the rules of a store.
fn proxy(upstream: SocketAddr, settings: &str) -> Result<Proxy, String> {
    let config = ConfigFile::new(settings);
    let mut command = with_credentials(s3cors(&["serve", "--config", &config.argument()]));
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", &format!("http://{upstream}")]);
    Ok(Proxy::spawn(command))
}

#[test]
fn requests_are_served_while_the_store_is_away_and_a_start_takes_the_copy() {
    let server = Server::start();
    let runtime = runtime();
    let put = |origin: &str| {
        let put = server.client().put_object().bucket("rules").key("cors/bucket.xml");
        runtime.block_on(put.body(ByteStream::from(allowing(origin).into_bytes())).send()).unwrap();
    };
    put("https://first.example");
    let (relay, upstream, copy) = (Relay::to(server.address), Upstream::ok("body"), tempfile::tempdir().unwrap());
    std::fs::write(copy.path().join("bucket.xml"), allowing("https://not-read.example")).unwrap();
    let settings = settings(relay.address, Some(copy.path()));
    let start = || proxy(upstream.address, &settings).unwrap();
    let allows = |proxy: &Proxy, origin: &str| proxy.preflight("/bucket/key", origin, "GET").status == 200;
    let first = start();
    assert!(allows(&first, "https://first.example"));
    put("https://second.example");
    eventually("the change is live", || allows(&first, "https://second.example").then_some(()));
    relay.cut();
    let mut connection = Connection::open(first.address);
    let get = request("GET", "/bucket/key", &[("Origin", "https://second.example")], "");
    // Served before the proxy notices that the store is gone, and 100 times afterwards.
    let mut left = 100;
    eventually("the proxy notices that the store is gone", || {
        let sent = Instant::now();
        let response = connection.send(&get).receive();
        assert_eq!(response.status, 200);
        assert_eq!(response.header("access-control-allow-origin"), Some("https://second.example"));
        assert!(sent.elapsed() < Duration::from_secs(1), "a request waited for the store: {:?}", sent.elapsed());
        left -= i32::from(first.metric("s3cors_config_last_reload_successful") == Some(0.0));
        (left == 0).then_some(())
    });
    let text = first.ask("GET", "/api/rules").text();
    assert!(text.contains("ListObjectsV2") && !text.contains(SECRET_KEY), "{text}");
    let second = start();
    assert!(allows(&second, "https://second.example"), "the copy has the rules");
    relay.restore();
    put("https://third.example");
    for proxy in [&first, &second] {
        eventually("the store is followed again", || allows(proxy, "https://third.example").then_some(()));
    }
    assert_eq!(std::fs::read_to_string(copy.path().join("bucket.xml")).unwrap(), allowing("https://not-read.example"));
}

#[test]
fn a_copy_that_cannot_be_written_is_logged_once_and_not_with_every_poll() {
    let server = Server::start();
    // Nothing can be created below a file, as on a read-only volume.
    let (upstream, copy) = (Upstream::ok("body"), tempfile::tempdir().unwrap());
    std::fs::write(copy.path().join(".s3cors"), "").unwrap();
    let proxy = proxy(upstream.address, &settings(server.address, Some(copy.path()))).unwrap();
    let (runtime, client) = (runtime(), server.client());
    for change in 0..4 {
        let origin = format!("https://change-{change}.example");
        let put = client.put_object().bucket("rules").key("cors/bucket.xml");
        runtime.block_on(put.body(ByteStream::from(allowing(&origin).into_bytes())).send()).unwrap();
        let is_live = || (proxy.preflight("/bucket/key", &origin, "GET").status == 200).then_some(());
        eventually("a poll brings the change", is_live);
    }
    let lines = proxy.log();
    let copied = lines.iter().filter(|line| line["message"] == "the copy of the rules is not complete");
    // A listing and a document fail each in their own way.
    let copied: Vec<_> = copied.collect();
    assert!((1..=2).contains(&copied.len()), "{copied:#?}");
}

#[test]
fn a_start_without_store_and_copy_fails_and_names_the_store() {
    let nowhere = free_address();
    let config = ConfigFile::new(&settings(nowhere, None));
    let mut command = with_credentials(s3cors(&["serve", "--config", &config.argument()]));
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", "http://127.0.0.1:9"]);
    let ended = crate::support::process::run_to_end(command, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("s3://rules/cors/: ListObjectsV2: "), "{}", ended.stderr);
}
