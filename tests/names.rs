//! An upstream's name that comes to mean another address, for the system's own resolver: followed without a failed request.

use crate::support::eventually;
use crate::support::process::s3cors;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Runs a command where this file is `/etc/hosts`: in a mount namespace of its own, which not every container may make.
fn with_hosts(hosts: &Path, command: &Command) -> Option<Command> {
    let own_mounts = ["--mount", "--map-root-user"];
    let is_allowed = Command::new("unshare").args(own_mounts).arg("true").stderr(Stdio::null()).status();
    if !is_allowed.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "no mount namespaces here: on CI nothing is left out");
        eprintln!("not tested: no mount namespaces here");
        return None;
    }
    let mut inside = Command::new("unshare");
    inside.args(own_mounts).args(["sh", "-c", r#"mount --bind "$0" /etc/hosts && exec "$@""#]);
    inside.arg(hosts).arg(command.get_program()).args(command.get_args());
    Some(inside)
}

#[test]
fn a_name_that_moves_under_load_is_followed_and_no_request_fails() {
    let answering =
        |served: &mut crate::support::upstream::Served| while served.request().is_some() && served.send(OK) {};
    let first = Upstream::at(([127, 0, 9, 4], 0).into(), answering);
    let second = Upstream::at(([127, 0, 9, 5], first.address.port()).into(), answering);
    let rules = Rules::usual();
    let hosts = rules.file("hosts");
    // In place: another file would not be the one that is mounted.
    let points_to =
        |upstream: &Upstream| std::fs::write(&hosts, format!("{} store.test\n", upstream.address.ip())).unwrap();
    points_to(&first);
    let url = format!("http://store.test:{}", first.address.port());
    let mut command = s3cors(&["serve", "--upstream", &url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.arg("--rules").arg(rules.path());
    let Some(command) = with_hosts(&hosts, &command) else { return };
    let mut proxy = Proxy::spawn(command);

    let has_ended = AtomicBool::new(false);
    let get = |proxy: &Proxy| proxy.fetch("GET", "/bucket/key", &[]).status;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let load =
            || std::iter::from_fn(|| (!has_ended.load(Ordering::SeqCst)).then(|| get(&proxy))).collect::<Vec<_>>();
        let clients: Vec<_> = (0..2).map(|_| scope.spawn(load)).collect();
        eventually("the first is under load", || (first.received().len() > 20).then_some(()));
        assert_eq!(second.received().len(), 0);
        points_to(&second);
        eventually("the second is", || (second.received().len() > 20).then_some(()));
        has_ended.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    println!("{} requests", statuses.len());
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let before = first.received().len();
    assert!((0..20).all(|_| get(&proxy) == 200));
    assert_eq!(first.received().len(), before, "nothing goes to the old address");

    // A name that is gone is no reason to forget where the server was.
    std::fs::write(&hosts, "").unwrap();
    proxy.wait_for_log("the upstream's name no longer resolves; its last addresses stay");
    assert!((0..20).all(|_| get(&proxy) == 200));
}
