//! A change of the rules is live within a second, however it was made, and no request fails for it.

use crate::support::eventually;
use crate::support::http::{Connection, Response, request};
use crate::support::manners::{Manner, NOTIFIED, UNNOTIFIED};
use crate::support::process::configured;
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the contract promises.
const LIVE_WITHIN: Duration = Duration::from_secs(1);
/// A look at the files that is never due, so that nothing but the notification or the demand can be the cause.
const NEVER: &str = "rules: {poll: 1h}\nlog: {access: false}\n";

/// Waits until the rules allow this origin, on one connection.
fn wait_until_allowed(connection: &mut Connection, origin: &str) {
    let preflight =
        request("OPTIONS", "/bucket/key", &[("Origin", origin), ("Access-Control-Request-Method", "GET")], "");
    eventually("the change is live", || {
        let answer = connection.send(&preflight).receive();
        assert!(matches!(answer.status, 200 | 403), "{answer:?}");
        (answer.header("access-control-allow-origin") == Some(origin)).then_some(())
    });
}

/// Requests without a pause, on connections of their own, until told to stop.
struct Traffic {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<usize>>,
}

impl Traffic {
    fn start(proxy: &Proxy, threads: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let address = proxy.address;
        let run = |_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut connection = Connection::open(address);
                let get = request("GET", "/bucket/key", &[("Origin", "https://any.example")], "");
                let mut sent = 0;
                // One at least, however late the thread begins.
                while sent == 0 || !stop.load(Ordering::Relaxed) {
                    let started = Instant::now();
                    let answer: Response = connection.send(&get).receive();
                    assert_eq!((answer.status, answer.text().as_str()), (200, "body"));
                    assert!(started.elapsed() < LIVE_WITHIN, "a request was held up for {:?}", started.elapsed());
                    sent += 1;
                }
                sent
            })
        };
        let threads = (0..threads).map(run).collect();
        Self { stop, threads }
    }

    /// How many requests were sent; one that failed fails the test.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    }
}

/// Makes three changes in this manner, for a watch may die of the first, and gives the slowest.
fn slowest_of(manner: &Manner, configuration: &str) -> Duration {
    let root = tempfile::tempdir().unwrap();
    let upstream = Upstream::ok("body");
    let path = (manner.set_up)(root.path(), &allowing("https://v0.example"));
    let proxy = configured(&path, upstream.address, configuration);
    let traffic = Traffic::start(&proxy, 1);
    let mut connection = proxy.connect();
    wait_until_allowed(&mut connection, "https://v0.example");
    let mut slowest = Duration::ZERO;
    for number in 1..=3 {
        let origin = format!("https://v{number}.example");
        (manner.change)(root.path(), number, &allowing(&origin));
        // The clock starts when the change is made: a disk that is busy with other tests holds up the writing itself.
        let started = Instant::now();
        wait_until_allowed(&mut connection, &origin);
        slowest = slowest.max(started.elapsed());
    }
    assert!(traffic.end() > 0);
    println!("slowest to live, {}: {slowest:?}", manner.name);
    slowest
}

#[test]
fn a_change_that_the_file_system_tells_of_is_live_without_polling() {
    for manner in &NOTIFIED {
        let slowest = slowest_of(manner, NEVER);
        assert!(slowest < LIVE_WITHIN, "{}: {slowest:?}", manner.name);
    }
}

#[test]
fn a_change_that_no_one_tells_of_is_found_in_time_all_the_same() {
    for manner in &UNNOTIFIED {
        let slowest = slowest_of(manner, "log: {access: false}\n");
        assert!(slowest < LIVE_WITHIN, "{}: {slowest:?}", manner.name);
    }
}

#[test]
fn a_file_added_gives_a_bucket_rules_and_a_file_removed_takes_them() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok("body"));
    let proxy = configured(rules.path(), upstream.address, NEVER);
    let status = || proxy.preflight("/bucket/key", "https://new.example", "GET").status;
    for form in ["bucket.xml", "bucket.json"] {
        assert_eq!(status(), 403);
        eventually("no rules are counted", || (proxy.metric("s3cors_rules_loaded") == Some(0.0)).then_some(()));
        let started = Instant::now();
        let json = r#"{"CORSRules":[{"AllowedOrigins":["https://new.example"],"AllowedMethods":["GET"]}]}"#;
        rules.write(form, if form.ends_with("json") { json.into() } else { allowing("https://new.example") });
        eventually("the new file is live", || (status() == 200).then_some(()));
        let added = started.elapsed();
        let started = Instant::now();
        fs::remove_file(rules.file(form)).unwrap();
        eventually("the file's rules are gone", || (status() == 403).then_some(()));
        let removed = started.elapsed();
        println!("live, {form} added: {added:?}, removed: {removed:?}");
        assert!(added < LIVE_WITHIN && removed < LIVE_WITHIN, "{form}: {added:?}, {removed:?}");
    }
    let gone = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://new.example")]);
    assert_eq!((gone.status, gone.cors(), gone.vary()), (200, vec![], vec![]));
}

#[test]
fn a_reload_on_demand_is_live_when_it_is_answered_or_the_signal_is_handled() {
    let root = tempfile::tempdir().unwrap();
    let upstream = Upstream::ok("body");
    let silent = &UNNOTIFIED[0];
    let path = (silent.set_up)(root.path(), &allowing("https://v0.example"));
    let proxy = configured(&path, upstream.address, NEVER);
    let traffic = Traffic::start(&proxy, 1);
    let mut connection = proxy.connect();

    let started = Instant::now();
    (silent.change)(root.path(), 1, &allowing("https://v1.example"));
    let answer = proxy.ask("POST", "/-/reload");
    let taken = started.elapsed();
    // "changed" says that this demand, and nothing before it, made the change live.
    let report: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!((answer.status, &report["result"], &report["changed"][0]), (200, &"applied".into(), &"bucket".into()));
    assert_eq!(proxy.preflight("/bucket/key", "https://v1.example", "GET").status, 200);

    (silent.change)(root.path(), 2, &allowing("https://v2.example"));
    let hung_up = Instant::now();
    proxy.signal("HUP");
    wait_until_allowed(&mut connection, "https://v2.example");
    println!("live, POST /-/reload: {taken:?}, SIGHUP: {:?}", hung_up.elapsed());
    assert!(taken < LIVE_WITHIN && hung_up.elapsed() < LIVE_WITHIN);
    assert!(traffic.end() > 0);
    let applied = "s3cors_config_reloads_total{result=\"applied\"}";
    eventually("both are counted", || (proxy.metric(applied) == Some(2.0)).then_some(()));
}

#[test]
fn a_hundred_changes_under_load_fail_no_request() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok("body"));
    rules.write("bucket.xml", allowing("https://v0.example"));
    let proxy = configured(rules.path(), upstream.address, "log: {access: false}\n");
    let traffic = Traffic::start(&proxy, 4);
    let mut connection = proxy.connect();
    let mut slowest = Duration::ZERO;
    for number in 1..=100 {
        let origin = format!("https://v{number}.example");
        if number % 2 == 0 {
            rules.write("bucket.xml", allowing(&origin));
        } else {
            rules.write("bucket.new", allowing(&origin));
            fs::rename(rules.file("bucket.new"), rules.file("bucket.xml")).unwrap();
        }
        let started = Instant::now();
        wait_until_allowed(&mut connection, &origin);
        slowest = slowest.max(started.elapsed());
    }
    let sent = traffic.end();
    println!("100 changes, {sent} requests: slowest to live {slowest:?}");
    assert!(slowest < LIVE_WITHIN, "{slowest:?}");
    assert!(sent > 100, "{sent}");
    let applied = "s3cors_config_reloads_total{result=\"applied\"}";
    eventually("every change is counted", || (proxy.metric(applied)? >= 100.0).then_some(()));
}

#[test]
fn what_is_passed_over_is_logged_once() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    rules.write("notes.txt", "not rules");
    let proxy = configured(rules.path(), upstream.address, "rules: {poll: 5ms}\nlog: {access: false}\n");
    let said = |name: &str| {
        let lines = proxy.log().into_iter();
        lines.filter(|line| line["paths"].as_str().is_some_and(|paths| paths.contains(name))).count()
    };
    assert_eq!(said("notes.txt"), 1, "{:?}", proxy.log());
    rules.write("photos.yaml", "not rules either");
    rules.write("a b.xml", allowing("https://a.example"));
    eventually("the others are logged", || (said("photos.yaml") == 1 && said("a b.xml") == 1).then_some(()));
    assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
    for name in ["notes.txt", "photos.yaml", "a b.xml"] {
        assert_eq!(said(name), 1, "{name}: {:?}", proxy.log());
        assert!(proxy.ask("GET", "/status").text().contains(name), "{name}");
    }
    std::fs::remove_file(rules.file("bucket.xml")).unwrap();
    std::fs::remove_file(rules.file("a b.xml")).unwrap();
    let is_told =
        |line: &serde_json::Value| line["message"].as_str().is_some_and(|said| said.starts_with("no rules here"));
    eventually("that nothing is left is logged", || proxy.log().iter().any(is_told).then_some(()));
}
