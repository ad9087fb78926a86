//! `s3cors demo`: what it prints to try is tried here, by a shell with the real curl.

use crate::support::eventually;
use crate::support::http::fetch;
use crate::support::process::{free_address, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::allowing;
use std::net::SocketAddr;
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
    let printed = || proxy.log().iter().filter_map(|line| line.as_str().map(str::to_owned)).collect::<Vec<_>>();
    // It is ready a moment before it prints what to try.
    let printed = eventually("the last line is printed", || {
        Some(printed()).filter(|lines| lines.iter().any(|line| line.trim().starts_with("status ")))
    });
    for said in
        [address.to_string(), format!("http://{admin}/status"), "DEMOACCESSKEY".into(), "demo-secret-key".into()]
    {
        assert!(printed.iter().any(|line| line.contains(&said)), "{said}: {printed:#?}");
    }
    let introduction: Vec<_> = printed.iter().skip_while(|line| !line.starts_with("s3cors demo")).collect();
    assert!(introduction.len() <= 24 && introduction.iter().all(|line| line.len() <= 80), "{introduction:#?}");
    assert_eq!(printed.len(), introduction.len(), "nothing is logged before it: {printed:#?}");
    // A backslash at the end of a line goes on with the next one.
    let joined = printed.join("\n").replace("\\\n", "");
    let commands: Vec<_> = joined.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    let [allowed, denied] = commands.as_slice() else { panic!("{printed:#?}") };

    let granted = "access-control-allow-origin: http://localhost:3000";
    let (head, body) = sh(allowed);
    assert!(head.starts_with("http/1.1 200") && head.contains(granted) && body.is_empty(), "{head}\n{body}");
    let (head, body) = sh(denied);
    assert!(head.starts_with("http/1.1 403") && !head.contains("access-control-allow-"), "{head}");
    assert!(body.contains("<Code>AccessForbidden</Code>"), "{body}");
    let link = printed.iter().find_map(|line| line.trim().strip_prefix("link ")?.trim().split(' ').next()).unwrap();
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let page: SocketAddr = host.replace("localhost", "127.0.0.1").parse().unwrap();
    let object = fetch(page, "GET", &format!("/{path}"), &[]).header("location").unwrap().to_owned();
    let (head, body) = sh(&format!("curl -i -H 'Origin: http://localhost:3000' '{object}'"));
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
    let (head, _) = sh(&format!("curl -i -H 'Origin: http://localhost:3000' '{forged}'"));
    assert!(head.starts_with("http/1.1 403") && head.contains(granted), "{head}");

    // And the rules that it names are live when they change.
    std::fs::write(data.path().join("rules/demo.xml"), allowing("https://mine.example")).unwrap();
    eventually("the changed rules are live", || {
        (proxy.preflight("/demo/hello.txt", "https://mine.example", "GET").status == 200).then_some(())
    });
}

#[test]
fn a_demo_leaves_nothing_behind_and_names_the_flag_of_an_address_that_is_taken() {
    let (temporary, address, admin) = (tempfile::tempdir().unwrap(), free_address(), free_address());
    let demo = |listen: SocketAddr, admin: SocketAddr, other_page: &str| {
        let mut command = s3cors(&["demo", "--listen", &listen.to_string(), "--admin", &admin.to_string()]);
        command.args(["--page", "127.0.0.1:0", "--other-page", other_page]).env("TMPDIR", temporary.path());
        command
    };
    let left = || std::fs::read_dir(temporary.path()).unwrap().count();
    let mut proxy = Proxy::spawn_at(demo(address, admin, "127.0.0.1:0"), address, admin);
    assert_eq!(left(), 1);
    let (free, taken) = (free_address(), address.to_string());
    for (flag, command) in [
        ("--listen", demo(address, free, "127.0.0.1:0")),
        ("--admin", demo(free, address, "127.0.0.1:0")),
        ("--other-page", demo(free, free_address(), &taken)),
    ] {
        let ended = run_to_end(command, "");
        let said = format!("s3cors: {flag} {address}: Address already in use");
        assert!(ended.code == Some(1) && ended.stderr.starts_with(&said), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("{flag} 127.0.0.1:0 takes a free port")), "{}", ended.stderr);
    }
    proxy.signal("INT");
    assert!(proxy.wait_for_exit().success());
    assert_eq!(left(), 0);
}
