//! Rules that are not valid while the proxy serves: the last good ones stay, everybody is told, and fixing is enough.

use crate::support::eventually;
use crate::support::process::configured;
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

const OLD: &str = "https://old.example";
const NEW: &str = "https://new.example";
const REJECTED: &str = "s3cors_config_reloads_total{result=\"rejected\"}";
const SUCCESSFUL: &str = "s3cors_config_last_reload_successful";

/// A way to make the rules below a directory invalid, and how it shows.
struct Fault {
    name: &'static str,
    make: fn(&Path),
    /// Ends what is wrong, so that a good document can be written.
    clear: fn(&Path),
    /// What `/api/rules` and the log say, with `DIR` for the directory.
    says: &'static str,
}

fn remove_file(directory: &Path) {
    fs::remove_file(directory.join("bucket.xml")).unwrap();
}

fn nothing(_: &Path) {}

const FAULTS: [Fault; 8] = [
    Fault {
        name: "half-written",
        make: |directory| {
            let whole = allowing(NEW).replace("<CORSRule>", "\n  <CORSRule>");
            fs::write(directory.join("bucket.xml"), &whole[..whole.len() / 2]).unwrap();
        },
        clear: nothing,
        says: "DIR/bucket.xml:2:",
    },
    Fault {
        name: "malformed",
        make: |directory| {
            fs::write(directory.join("bucket.xml"), "<CORSConfiguration>\n<Rule/></CORSConfiguration>").unwrap();
        },
        clear: nothing,
        says: "DIR/bucket.xml:2:1: MalformedXML",
    },
    Fault {
        name: "empty",
        make: |directory| fs::write(directory.join("bucket.xml"), "").unwrap(),
        clear: nothing,
        says: "DIR/bucket.xml:1:1: MalformedXML",
    },
    Fault {
        name: "refused by S3",
        make: |directory| {
            let text = allowing(NEW).replace("<AllowedMethod>GET", "\n<AllowedMethod>PATCH");
            fs::write(directory.join("bucket.xml"), text).unwrap();
        },
        clear: nothing,
        says: "Unsupported method is PATCH",
    },
    Fault {
        name: "two files for a bucket",
        make: |directory| {
            let json = r#"{"CORSRules":[{"AllowedOrigins":["https://new.example"],"AllowedMethods":["GET"]}]}"#;
            fs::write(directory.join("bucket.json"), json).unwrap();
        },
        clear: |directory| fs::remove_file(directory.join("bucket.json")).unwrap(),
        says: "DIR/bucket.json for the same bucket",
    },
    Fault {
        name: "a directory where a file should be",
        make: |directory| {
            remove_file(directory);
            fs::create_dir(directory.join("bucket.xml")).unwrap();
        },
        clear: |directory| fs::remove_dir(directory.join("bucket.xml")).unwrap(),
        says: "DIR/bucket.xml: ",
    },
    Fault {
        name: "a dangling symlink",
        make: |directory| {
            remove_file(directory);
            symlink("nowhere.xml", directory.join("bucket.xml")).unwrap();
        },
        clear: remove_file,
        says: "DIR/bucket.xml: No such file",
    },
    Fault {
        name: "the directory goes missing",
        make: |directory| fs::rename(directory, directory.with_extension("away")).unwrap(),
        clear: |directory| fs::rename(directory.with_extension("away"), directory).unwrap(),
        says: "DIR: No such file",
    },
];

fn status(proxy: &Proxy, origin: &str) -> u16 {
    proxy.preflight("/bucket/key", origin, "GET").status
}

fn errors(proxy: &Proxy) -> Vec<serde_json::Value> {
    let rules: serde_json::Value = serde_json::from_str(&proxy.ask("GET", "/api/rules").text()).unwrap();
    assert_eq!(rules["buckets"].as_array().unwrap().len(), 1, "{rules:#}");
    rules["errors"].as_array().unwrap().clone()
}

fn logged_errors(proxy: &Proxy) -> Vec<String> {
    let lines = proxy.log();
    let rejected = lines.iter().filter(|line| line["message"] == "rules rejected; the last good ones stay");
    rejected.inspect(|line| assert_eq!(line["level"], "ERROR")).map(|line| line["error"].to_string()).collect()
}

#[test]
fn the_last_good_rules_stay_and_everybody_is_told_until_it_is_fixed() {
    for fault in &FAULTS {
        let root = tempfile::tempdir().unwrap();
        let (directory, upstream) = (root.path().join("rules"), Upstream::ok(""));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("bucket.xml"), allowing(OLD)).unwrap();
        let proxy = configured(&directory, upstream.address, "log: {access: false}\n");
        assert_eq!((proxy.metric(SUCCESSFUL), proxy.metric(REJECTED)), (Some(1.0), Some(0.0)), "{}", fault.name);

        (fault.make)(&directory);
        eventually(fault.name, || (proxy.metric(SUCCESSFUL) == Some(0.0)).then_some(()));
        assert!(proxy.metric(REJECTED).unwrap() >= 1.0, "{}", fault.name);
        assert_eq!((status(&proxy, OLD), status(&proxy, NEW)), (200, 403), "{}", fault.name);
        let says = fault.says.replace("DIR", directory.to_str().unwrap());
        let errors_now = errors(&proxy);
        assert!(errors_now[0]["message"].as_str().unwrap().contains(&says), "{}: {errors_now:?}", fault.name);
        eventually(&format!("the log says {says}"), || {
            logged_errors(&proxy).iter().any(|error| error.contains(&says)).then_some(())
        });
        let page = proxy.ask("GET", "/status").text();
        assert!(page.contains(&says), "{}: {page}", fault.name);
        let asked = proxy.ask("POST", "/-/reload");
        assert_eq!(asked.status, 422, "{}: {}", fault.name, asked.text());
        assert_eq!(proxy.ask("GET", "/readyz").status, 200, "{}: it serves, by the last good rules", fault.name);

        (fault.clear)(&directory);
        fs::write(directory.join("bucket.xml"), allowing(NEW)).unwrap();
        eventually(fault.name, || (status(&proxy, NEW) == 200).then_some(()));
        eventually(fault.name, || (proxy.metric(SUCCESSFUL) == Some(1.0)).then_some(()));
        assert_eq!((status(&proxy, OLD), errors(&proxy)), (403, vec![]), "{}", fault.name);
        assert!(!proxy.ask("GET", "/status").text().contains(&says), "{}", fault.name);
    }
}

#[test]
fn what_is_valid_beside_it_is_applied_all_the_same() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    rules.write("bucket.xml", allowing(OLD));
    rules.write("other.xml", allowing(OLD));
    let proxy = configured(rules.path(), upstream.address, "rules: {poll: 1h}\n");
    rules.write("bucket.xml", "<");
    rules.write("other.xml", allowing(NEW));
    eventually("the valid one is live", || (proxy.preflight("/other/key", NEW, "GET").status == 200).then_some(()));
    assert_eq!((status(&proxy, OLD), status(&proxy, NEW)), (200, 403));
}

#[test]
fn a_fault_is_told_once_and_not_with_every_look() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = configured(rules.path(), upstream.address, "rules: {poll: 5ms}\n");
    rules.write("bucket.new", "<");
    fs::rename(rules.file("bucket.new"), rules.file("bucket.xml")).unwrap();
    eventually("it is told", || (logged_errors(&proxy).len() == 1).then_some(()));
    // Dozens of looks, of which none finds anything new.
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(200) {
        assert_eq!(status(&proxy, NEW), 403);
    }
    assert_eq!((logged_errors(&proxy).len(), proxy.metric(REJECTED)), (1, Some(1.0)), "{:#?}", proxy.log());
}
