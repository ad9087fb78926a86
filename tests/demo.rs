//! `s3cors demo`: what it prints to try is tried here, by a shell with the real curl.

use crate::support::eventually;
use crate::support::http::fetch;
use crate::support::process::{free_address, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::allowing;
use std::process::Command;

/// What a command prints: the status and headers, lower-cased, and the body.
fn sh(command: &str) -> (String, String) {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} -sS --max-time 10")]);
    let ended = run_to_end(shell, "");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{command}: {ended:?}");
    let (head, body) = ended.stdout.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn the_commands_that_the_demo_prints_do_what_it_says() {
    let data = tempfile::tempdir().unwrap();
    let (address, admin) = (free_address(), free_address());
    let mut command = s3cors(&["demo", "--listen", &address.to_string(), "--admin", &admin.to_string()]);
    // No other demo of this machine is in the way.
    command.args(["--page", "127.0.0.1:0", "--other-page", "127.0.0.1:0"]);
    command.arg("--data").arg(data.path());
    let proxy = Proxy::spawn_at(command, address, admin);
    let printed: Vec<_> = proxy.log().iter().filter_map(|line| line.as_str().map(str::to_owned)).collect();
    for said in
        [address.to_string(), format!("http://{admin}/status"), "DEMOACCESSKEY".into(), "demo-secret-key".into()]
    {
        assert!(printed.iter().any(|line| line.contains(&said)), "{said}: {printed:#?}");
    }
    let commands: Vec<_> = printed.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl ")).collect();
    let [allowed, denied, object] = commands.as_slice() else { panic!("{printed:#?}") };

    let granted = "access-control-allow-origin: http://localhost:3000";
    let (head, body) = sh(allowed);
    assert!(head.starts_with("http/1.1 200") && head.contains(granted) && body.is_empty(), "{head}\n{body}");
    let (head, body) = sh(denied);
    assert!(head.starts_with("http/1.1 403") && !head.contains("access-control-allow-"), "{head}");
    assert!(body.contains("<Code>AccessForbidden</Code>"), "{body}");
    let (head, body) = sh(object);
    assert!(head.starts_with("http/1.1 200") && head.contains(granted), "{head}\n{body}");
    assert_eq!(body, std::fs::read_to_string(data.path().join("store/demo/hello.txt")).unwrap());

    // The page is the same on both origins, and it is told where everything is.
    let pages: Vec<_> =
        printed.iter().filter_map(|line| line.trim().strip_prefix(['1', '2'])?.strip_prefix(". http://")).collect();
    let pages: Vec<_> =
        pages.iter().map(|line| line.split(' ').next().unwrap().replace("localhost", "127.0.0.1")).collect();
    let [page, other] = pages.as_slice() else { panic!("{printed:#?}") };
    let [page, other] = [page, other].map(|address| fetch(address.parse().unwrap(), "GET", "/", &[]));
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.body, other.body);
    for named in [format!("http://{address}/demo/from-a-page.txt?"), format!("\"http://{admin}/status\"")] {
        assert!(page.text().contains(&named), "{named}: {}", page.text());
    }

    // The store really checks: the same link with another key's signature is refused.
    let forged = object.replace("hello.txt", "rules.txt");
    let (head, _) = sh(&forged);
    assert!(head.starts_with("http/1.1 403") && head.contains(granted), "{head}");

    // And the rules that it names are live when they change.
    std::fs::write(data.path().join("rules/demo.xml"), allowing("https://mine.example")).unwrap();
    eventually("the changed rules are live", || {
        (proxy.preflight("/demo/hello.txt", "https://mine.example", "GET").status == 200).then_some(())
    });
}
