//! The first try: no rules on disk, a file of one line, a container.

use crate::support::process::{ConfigFile, Ended, run, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::net::TcpListener;
use std::process::Command;

const APP: &str = "https://app.example";

/// `serve` on any ports, from a directory without rules.
fn serve(directory: &Rules, arguments: &[&str]) -> Command {
    let mut command = s3cors(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.args(arguments).current_dir(directory.path());
    command
}

#[test]
fn origins_are_allowed_without_a_file() {
    let (directory, upstream) = (Rules::empty(), Upstream::ok("body"));
    let url = format!("http://{}", upstream.address);
    let in_list = &["--upstream", &url, "--allow", "http://localhost:*", APP][..];
    let repeated = &["--upstream", &url, "--allow", APP, "--allow=http://localhost:*"];
    let in_environment = &["--upstream", &url];
    for (arguments, variable) in
        [(in_list, ""), (repeated, ""), (in_environment, "http://localhost:*, https://app.example")]
    {
        let mut command = serve(&directory, arguments);
        command.env("S3CORS_ALLOW", variable);
        let proxy = Proxy::spawn(command);
        for (origin, method, status) in [
            (APP, "PUT", 200),
            ("http://localhost:3000", "DELETE", 200),
            ("https://evil.example", "GET", 403),
            (APP, "PATCH", 403),
        ] {
            let headers = [
                ("Origin", origin),
                ("Access-Control-Request-Method", method),
                ("Access-Control-Request-Headers", "x-any"),
            ];
            let answer = proxy.fetch("OPTIONS", "/any-bucket/key", &headers);
            assert_eq!(answer.status, status, "{method} from {origin}: {arguments:?} {variable:?}");
        }
        let answer = proxy.fetch("GET", "/any-bucket/key", &[("Origin", APP)]);
        let exposed = answer.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
        for name in
            ["etag", "x-amz-request-id", "x-amz-id-2", "x-amz-version-id", "content-range", "x-amz-checksum-crc32"]
        {
            assert!(exposed.split(", ").any(|each| each == name), "{name}: {exposed}");
        }
        assert_eq!(proxy.metric("s3cors_rules_loaded"), Some(1.0));
        assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
        assert!(proxy.ask("GET", "/status").text().contains("from <code>--allow</code>"), "the rule is shown");
    }
}

#[test]
fn origins_to_allow_and_rules_exclude_each_other() {
    let (directory, upstream) = (Rules::usual(), ["--upstream", "http://127.0.0.1:1", "--allow", APP]);
    let rules = directory.path().to_str().unwrap();
    let (with_rules, without) =
        (ConfigFile::new("rules: {path: conf/rules}\n"), ConfigFile::new("rules: {poll: 1s}\nadmin: 127.0.0.1:x"));
    let ended = |arguments: &[&str]| run_to_end(serve(&directory, &[&upstream[..], arguments].concat()), "");
    let mut with_variable = serve(&directory, &upstream);
    with_variable.env("S3CORS_RULES", rules);
    for (ended, named) in [
        (ended(&["--rules", rules]), "--rules (or S3CORS_RULES)"),
        (run_to_end(with_variable, ""), "--rules (or S3CORS_RULES)"),
        (ended(&["--config", &with_rules.argument()]), "rules.path in the file"),
    ] {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for said in ["--allow (or S3CORS_ALLOW)", named, "leave one of them out"] {
            assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
        }
    }
    // How often they are polled says nothing about where they are: the next error is another one.
    let other = ended(&["--config", &without.argument()]);
    assert!(other.stderr.contains(":2:8: "), "{}", other.stderr);
    let mut check = s3cors(&["check", "--config", &with_rules.argument()]);
    check.env("S3CORS_ALLOW", APP).env("S3CORS_UPSTREAM", "http://127.0.0.1:1");
    let ended = run_to_end(check, "");
    assert!(ended.code == Some(1) && ended.stdout.contains(":1:1: error: TwoRules: "), "{ended:?}");
}

#[test]
fn an_origin_that_no_browser_sends_is_an_error_that_says_what_to_write() {
    for (origin, said) in [
        ("app.example", "write https://app.example"),
        ("https://app.example/", "remove everything after the host and port"),
        ("https://*.*.example", "an origin has at most one *"),
    ] {
        let ended = run(&["serve", "--allow", origin]);
        assert_eq!(ended.code, Some(2), "{origin}: {ended:?}");
        assert!(ended.stderr.contains(said) && ended.stderr.contains("--allow <ORIGIN>"), "{origin}: {}", ended.stderr);
        let mut command = s3cors(&["serve"]);
        command.env("S3CORS_ALLOW", format!("{APP}, {origin}"));
        let ended = run_to_end(command, "");
        assert!(ended.stderr.contains(said) && ended.stderr.contains("'S3CORS_ALLOW'"), "{origin}: {}", ended.stderr);
    }
}

#[test]
fn a_file_of_one_line_names_the_upstream() {
    let (directory, upstream) = (Rules::usual(), Upstream::ok("body"));
    for line in
        [format!("upstream: http://{}\n", upstream.address), format!("upstream: [http://{}]\n", upstream.address)]
    {
        let file = ConfigFile::new(&line);
        let rules = directory.path().to_str().unwrap();
        let proxy = Proxy::spawn(serve(&directory, &["--config", &file.argument(), "--rules", rules]));
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body", "{line}");
    }
}

/// A start that gets as far as its listener, which is taken.
fn start_in_kubernetes(directory: &Rules, listen: &[&str]) -> Ended {
    let mut command = s3cors(&["serve", "--admin", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1", "--allow", APP]);
    command.args(listen).current_dir(directory.path()).env("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    run_to_end(command, "")
}

#[test]
fn a_container_that_listens_on_its_own_loopback_by_default_says_so() {
    let directory = Rules::empty();
    // This process has the port, or another one: no start gets further.
    let _default = TcpListener::bind("127.0.0.1:8080");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let chosen = other.local_addr().unwrap().to_string();
    for (listen, warns) in [(&[][..], true), (&["--listen", &chosen], false)] {
        let ended = start_in_kubernetes(&directory, listen);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let said = ended.stdout.contains("set --listen 0.0.0.0:8080, S3CORS_LISTEN or listen in the file");
        assert_eq!(said, warns, "{listen:?}: {}", ended.stdout);
    }
}
