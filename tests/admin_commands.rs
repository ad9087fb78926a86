//! Commands that speak to an admin listener with TLS and a token, and `check` of its settings.

use crate::support::eventually;
use crate::support::process::{ConfigFile, Ended, free_address, run, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::Upstream;

/// A proxy whose admin listener speaks TLS and wants a token, and what a command needs for it.
struct Guarded {
    rules: Rules,
    authority: Authority,
    config: ConfigFile,
    proxy: Proxy,
    _upstream: Upstream,
}

impl Guarded {
    fn start() -> Self {
        let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok(""));
        // The name is not the one that the commands connect to by the configuration.
        authority.install(&authority.issue("localhost"));
        rules.write("token", "5ECRET-t0ken\nmore\n");
        let address = free_address();
        let config = ConfigFile::new(&format!(
            "listen: 127.0.0.1:0\nadmin:\n  address: {address}\n  token_file: '{}'\n  tls: {{certificate: '{}', key: '{}'}}\n",
            rules.file("token").display(),
            authority.path("tls.crt").display(),
            authority.path("tls.key").display()
        ));
        let url = format!("http://{}", upstream.address);
        let mut command = s3cors(&["serve", "--config", &config.argument(), "--upstream", &url, "--rules"]);
        command.arg(rules.path());
        let proxy = Proxy::spawn(command);
        Self { rules, authority, config, proxy, _upstream: upstream }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.proxy.admin.port())
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = s3cors(arguments);
        command.envs(environment.iter().copied());
        run_to_end(command, "")
    }
}

#[test]
fn the_commands_reach_a_listener_with_tls_and_a_token() {
    let guarded = Guarded::start();
    let (config, url) = (guarded.config.argument(), guarded.url());
    let (token, roots) = (guarded.rules.file("token").to_str().unwrap().to_owned(), guarded.authority.file());
    let denied = guarded.proxy.preflight("/bucket/key", "https://page.example", "PUT");
    let id = denied.header("x-amz-request-id").unwrap();
    let by_url = [("S3CORS_ADMIN_TOKEN_FILE", token.as_str()), ("SSL_CERT_FILE", roots.as_str())];
    let admin = guarded.proxy.admin.to_string();
    for (arguments, environment) in [
        // The proxy's own configuration says everything.
        (vec!["--config", &config], &[][..]),
        (vec!["--config", &config, "--admin", &admin], &[]),
        // Or the address and the environment do.
        (vec!["--admin", &url], &by_url),
        (vec!["--admin", &url, "--admin-token-file", &token], &by_url[1..]),
    ] {
        let with = |command: &[&str]| guarded.run(&[command, &arguments[..]].concat(), environment);
        assert_eq!(with(&["healthcheck"]).code, Some(0), "{arguments:?}: {:?}", with(&["healthcheck"]));
        let explained = eventually("it is kept", || {
            Some(with(&["explain", "--request-id", id])).filter(|ended| ended.code == Some(0))
        });
        assert!(explained.stdout.contains("DENIED: PUT from https://page.example"), "{arguments:?}: {explained:?}");
        let learned = with(&["learn", "--bucket", "bucket"]);
        assert!(
            learned.code == Some(0) && learned.stdout.contains("https://page.example"),
            "{arguments:?}: {learned:?}"
        );
        assert!(!format!("{learned:?}").contains("5ECRET"), "{learned:?}");
    }
}

#[test]
fn a_command_says_what_it_lacks() {
    let guarded = Guarded::start();
    let (url, roots) = (guarded.url(), guarded.authority.file());
    let (other, missing) = (guarded.rules.file("other"), guarded.rules.file("missing"));
    std::fs::write(&other, "a-second").unwrap();
    let trusted = ("SSL_CERT_FILE", roots.as_str());
    let named = |path: &'static str| ("S3CORS_ADMIN_TOKEN_FILE", path);
    let other: &'static str = other.to_str().unwrap().to_owned().leak();
    let missing: &'static str = missing.to_str().unwrap().to_owned().leak();
    let plain = url.replace("https", "http");
    for (admin, environment, said) in [
        (&*url, vec![trusted], "S3CORS_ADMIN_TOKEN_FILE"),
        (&url, vec![trusted, named("")], "S3CORS_ADMIN_TOKEN_FILE"),
        (&url, vec![trusted, named(other)], "S3CORS_ADMIN_TOKEN_FILE"),
        (&url, vec![trusted, named(missing)], "missing: the token cannot be read"),
        (&url, vec![trusted, named("/dev/null")], "/dev/null: no token in its first line"),
        (&url, vec![named(other), ("SSL_CERT_FILE", "/nonexistent")], "SSL_CERT_FILE"),
        (&plain, vec![named(other)], "use https"),
    ] {
        let ended = guarded.run(&["learn", "--admin", admin], &environment);
        assert_eq!(ended.code, Some(1), "{admin} {environment:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{admin} {environment:?}: {}", ended.stderr);
    }
    // The probes need no token.
    assert_eq!(guarded.run(&["healthcheck", "--admin", &url], &[trusted]).code, Some(0));
    for wrong in ["https://user:5ECRET@localhost:1", "https://localhost:1/status", "localhost", "ftp://localhost:1"] {
        let ended = run(&["learn", "--admin", wrong]);
        assert!(ended.code == Some(2) && !ended.stderr.contains("5ECRET"), "{wrong}: {ended:?}");
    }
}

/// Only the certificate that the configuration names is trusted where it is asked by the configuration.
#[test]
fn a_listener_that_shows_another_certificate_gets_no_token() {
    let guarded = Guarded::start();
    let config = guarded.config.argument();
    assert_eq!(run(&["healthcheck", "--config", &config]).code, Some(0));
    let (impostor, plain) = (guarded.authority.issue("localhost"), Upstream::ok("body"));
    let address = crate::support::tls::tls_upstream(&impostor, &plain);
    for command in ["healthcheck", "learn"] {
        let ended = run(&[command, "--config", &config, "--admin", &address.to_string()]);
        assert!(ended.code == Some(1) && ended.stderr.contains("certificate"), "{command}: {ended:?}");
    }
    assert_eq!(plain.received().len(), 0);
}

#[test]
fn the_token_of_a_configuration_goes_to_no_other_machine() {
    let rules = Rules::usual();
    rules.write("token", "5ECRET");
    let other =
        Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"buckets\":[]}");
    let config =
        rules.config(&format!("admin: {{address: '127.0.0.1:1', token_file: '{}'}}\n", rules.file("token").display()));
    let ask = |admin: &str| run(&["learn", "--config", &config, "--admin", admin]);
    let sent = |other: &Upstream| other.received().last().unwrap().header("authorization");
    ask(&format!("http://{}", other.address));
    assert_eq!(sent(&other), None, "a URL can name any machine");
    ask(&other.address.to_string());
    assert_eq!(sent(&other).as_deref(), Some("Bearer 5ECRET"), "this machine's own loopback");
}

#[test]
fn what_serve_refuses_about_the_admin_listener_check_refuses() {
    let rules = Rules::usual();
    rules.write("empty", "\n");
    rules.write("two-words", "5ECRET 5ECRET");
    let usual =
        format!("upstream: http://127.0.0.1:1\nlisten: 127.0.0.1:0\nrules: {{path: '{}'}}\n", rules.path().display());
    let at = |name: &str| rules.file(name).display().to_string();
    for (settings, code, said) in [
        (
            format!("token_file: '{}'", at("missing")),
            "UnusableToken",
            "missing: the token cannot be read: No such file",
        ),
        (
            format!("token_file: '{}'", rules.path().display()),
            "UnusableToken",
            "the token cannot be read: Is a directory",
        ),
        (format!("token_file: '{}'", at("empty")), "UnusableToken", "openssl rand -hex 32"),
        (format!("token_file: '{}'", at("two-words")), "UnusableToken", "its first line is no token"),
        ("token_file: ".to_owned(), "InvalidConfiguration", "leave the key out"),
        ("tls: {certificate: /nonexistent/c, key: /nonexistent/k}".to_owned(), "UnusableCertificate", "/nonexistent/c"),
        ("hosts: ['http://a.example']".to_owned(), "InvalidConfiguration", "without scheme and port"),
        ("token: 5ECRET".to_owned(), "InvalidConfiguration", "token"),
    ] {
        let config = ConfigFile::new(&format!("admin: {{address: '127.0.0.1:0', {settings}}}\n{usual}"));
        let checked = run(&["check", "--config", &config.argument()]);
        assert_eq!(checked.code, Some(1), "{settings}: {checked:?}");
        assert!(checked.stdout.contains(code) && checked.stdout.contains(said), "{settings}: {}", checked.stdout);
        let served = run(&["serve", "--config", &config.argument()]);
        assert_eq!(served.code, Some(1), "{settings}: {served:?}");
        assert!(served.stderr.contains(said), "{settings}: {}", served.stderr);
        assert!(!format!("{checked:?}{served:?}").contains("5ECRET 5ECRET"), "{checked:?}{served:?}");
    }
}

#[test]
fn an_open_admin_listener_without_a_token_is_a_warning() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("token", "5ECRET");
    let token = format!("token_file: '{}'", rules.file("token").display());
    for (admin, is_warned) in [
        ("127.0.0.1:0".to_owned(), false),
        ("'[::1]:0'".to_owned(), false),
        ("0.0.0.0:0".to_owned(), true),
        (":0".to_owned(), true),
        (format!("{{address: '0.0.0.0:0', {token}}}"), false),
    ] {
        let config = ConfigFile::new(&format!(
            "admin: {admin}\nlisten: 127.0.0.1:0\nupstream: http://{}\nrules: {{path: '{}'}}\n",
            upstream.address,
            rules.path().display()
        ));
        let checked = run(&["check", "--config", &config.argument()]);
        assert_eq!(checked.code, Some(0), "{admin}: {checked:?}");
        let warned = checked.stdout.contains(":1:1: warning: AdminWithoutToken: ")
            && checked.stdout.contains("set admin.token_file");
        assert_eq!(warned, is_warned, "{admin}: {}", checked.stdout);
        // The harness reads addresses of IPv4 only.
        if !admin.contains(".0") {
            continue;
        }
        let proxy = Proxy::spawn(s3cors(&["serve", "--config", &config.argument()]));
        let told = |line: &serde_json::Value| {
            line["message"].as_str().is_some_and(|text| text.contains("set admin.token_file"))
        };
        assert_eq!(proxy.log().iter().any(told), is_warned, "{admin}: {:#?}", proxy.log());
    }
}
