//! What is told to a service manager: readiness when there is some, and the end when it begins.

use crate::support::eventually;
use crate::support::proxy::{PROGRAM, Proxy};
use crate::support::rules::Rules;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

#[test]
fn systemd_is_told_when_the_proxy_is_ready_and_when_it_ends() {
    let rules = Rules::usual();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let told = |what: &str| {
        eventually(&format!("{what} is told"), || {
            let mut message = [0; 256];
            let length = socket.recv(&mut message).ok()?;
            String::from_utf8_lossy(&message[..length]).lines().any(|line| line == what).then_some(())
        });
    };
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1"]);
    command.arg("--rules").arg(rules.path()).env("NOTIFY_SOCKET", &path);
    let mut proxy = Proxy::spawn(command);
    told("READY=1");
    proxy.signal("TERM");
    told("STOPPING=1");
    assert!(proxy.wait_for_exit().success());
}
