//! Health checks of upstreams: off unless asked for; then they move requests, the gauge and the log, without a request's help.

use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ILL: &str = "HTTP/1.1 503 Slow Down\r\nContent-Length: 3\r\n\r\nill";
const CHECK: &str = "upstream: {health_check: {path: '/minio/health/live?x=1', interval: 20ms, timeout: 2s}}";

/// An upstream that says that it is ill while it is told to, and serves everything all the same.
struct Patient {
    upstream: Upstream,
    is_ill: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    checks: Arc<AtomicUsize>,
}

impl Patient {
    fn new() -> Self {
        let (is_ill, served, checks) = <(Arc<AtomicBool>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (ill, requests, checked) = (Arc::clone(&is_ill), Arc::clone(&served), Arc::clone(&checks));
        let upstream = Upstream::scripted(move |served| {
            while let Some(request) = served.request() {
                let is_check = request.request_line() == "GET /minio/health/live?x=1 HTTP/1.1";
                if is_check { &checked } else { &requests }.fetch_add(1, Ordering::SeqCst);
                served.send(if is_check && ill.load(Ordering::SeqCst) { ILL } else { OK });
            }
        });
        Self { upstream, is_ill, served, checks }
    }

    fn set_ill(&self, is_ill: bool) {
        self.is_ill.store(is_ill, Ordering::SeqCst);
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

fn up(proxy: &Proxy, address: SocketAddr) -> f64 {
    proxy.metric(&format!("s3cors_upstream_up{{upstream=\"http://{address}\"}}")).unwrap()
}

fn wait_until_up(proxy: &Proxy, address: SocketAddr, is_up: f64) {
    eventually("the gauge moves", || (up(proxy, address) == is_up).then_some(()));
}

fn lines(proxy: &Proxy, message: &str) -> Vec<serde_json::Value> {
    proxy.log().into_iter().filter(|line| line["message"] == message).collect()
}

fn start(rules: &Rules, first: SocketAddr, second: SocketAddr, config: &str) -> Proxy {
    let config = rules.config(config);
    let second = format!("http://{second}");
    Proxy::start_with(rules.path(), &format!("http://{first}"), &["--upstream", &second, "--config", &config])
}

fn get(proxy: &Proxy) -> u16 {
    proxy.fetch("GET", "/bucket/key", &[]).status
}

#[test]
fn an_unhealthy_address_is_passed_over_until_it_is_well() {
    let (rules, first, second) = (Rules::usual(), Patient::new(), Patient::new());
    let mut proxy = start(&rules, first.upstream.address, second.upstream.address, CHECK);
    let address = second.upstream.address;
    second.set_ill(true);
    wait_until_up(&proxy, address, 0.0);
    assert!((0..6).all(|_| get(&proxy) == 200));
    assert_eq!((first.served(), second.served()), (6, 0));
    let line = proxy.wait_for_log("the address is unhealthy");
    assert_eq!((line["level"].as_str(), line["error"].as_str()), (Some("WARN"), Some("status 503")));
    assert_eq!(line["address"].as_str(), Some(address.to_string().as_str()));
    let check = second.upstream.received().into_iter().find(|request| request.request_line().contains("live")).unwrap();
    assert_eq!(check.header("host"), Some(address.to_string()));

    second.set_ill(false);
    wait_until_up(&proxy, address, 1.0);
    proxy.wait_for_log("the address is healthy again");
    assert!((0..6).all(|_| get(&proxy) == 200));
    assert_eq!((first.served(), second.served()), (9, 3));
    for message in ["the address is unhealthy", "the address is healthy again"] {
        assert_eq!(lines(&proxy, message).len(), 1, "one line a change: {message}");
    }
    let other =
        proxy.log().into_iter().filter(|line| line["target"].as_str().is_some_and(|at| at.starts_with("pingora")));
    assert_eq!(other.collect::<Vec<_>>(), Vec::<serde_json::Value>::new(), "and none of the library's");
}

#[test]
fn when_all_are_unhealthy_all_are_used() {
    let (rules, first, second) = (Rules::usual(), Patient::new(), Patient::new());
    let proxy = start(&rules, first.upstream.address, second.upstream.address, CHECK);
    for patient in [&first, &second] {
        patient.set_ill(true);
        wait_until_up(&proxy, patient.upstream.address, 0.0);
    }
    assert!((0..6).all(|_| get(&proxy) == 200));
    assert_eq!((first.served(), second.served()), (3, 3));
    assert_eq!(up(&proxy, first.upstream.address), 0.0, "an answer does not make up for a failed check");
}

#[test]
fn a_server_that_is_killed_is_noticed_without_a_request_and_so_is_its_return() {
    for check in ["{interval: 20ms}", "{interval: 20ms, path: /}"] {
        let (rules, upstream) = (
            Rules::usual(),
            Upstream::at(([127, 0, 9, 3], 0).into(), |served| while served.request().is_some() && served.send(OK) {}),
        );
        let config = rules.config(&format!("upstream: {{health_check: {check}}}"));
        let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
        assert_eq!(up(&proxy, upstream.address), 1.0);
        let address = upstream.kill();
        wait_until_up(&proxy, address, 0.0);
        let back = Upstream::at(address, |served| while served.request().is_some() && served.send(OK) {});
        wait_until_up(&proxy, address, 1.0);
        assert_eq!(get(&proxy), 200);
        drop(back);
    }
}

#[test]
fn a_check_that_is_not_answered_in_time_has_failed() {
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(|served| while served.request().is_some() {}));
    let config = rules.config("upstream: {health_check: {path: /, interval: 20ms, timeout: 50ms}}");
    let mut proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
    wait_until_up(&proxy, upstream.address, 0.0);
    assert_eq!(proxy.wait_for_log("the address is unhealthy")["error"], "no answer within 50ms");
}

#[test]
fn without_the_setting_nothing_is_checked() {
    let (rules, first, second) = (Rules::usual(), Patient::new(), Patient::new());
    let checked = start(&rules, first.upstream.address, second.upstream.address, CHECK);
    let other = Patient::new();
    let unchecked = Proxy::start(rules.path(), other.upstream.address);
    // By then the other proxy has had the time for many.
    eventually("checks are made", || (first.checks.load(Ordering::SeqCst) > 20).then_some(()));
    assert_eq!((get(&unchecked), get(&checked)), (200, 200));
    assert_eq!(other.upstream.received().len(), 1);
}
