//! TLS towards the upstream: whom it takes for the storage server, and what is said when it does not.

use crate::support::process::{ConfigFile, run, run_to_end, s3cors};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::tls::{Authority, Issued, tls_upstream};
use crate::support::upstream::Upstream;
use rcgen::CertificateParams;

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
const TLS_ERRORS: &str = "s3cors_upstream_errors_total{kind=\"tls\"}";
const WARNING: &str = "upstream.tls.verify is false: anyone on the network path can read and change everything";

/// A proxy in front of https on 127.0.0.1, with this under `upstream.tls`.
fn serving(tls: &str, port: u16, rules: &Rules) -> Proxy {
    let config = ConfigFile::new(&format!("upstream: {{tls: {{{tls}}}}}\n"));
    Proxy::start_with(rules.path(), &format!("https://127.0.0.1:{port}"), &["--config", &config.argument()])
}

#[test]
fn only_a_certificate_of_a_trusted_authority_for_the_right_name_is_taken() {
    let (authority, stranger, rules) = (Authority::new(), Authority::new(), Rules::usual());
    let plain = Upstream::ok("body");
    let address = tls_upstream(&authority.issue("127.0.0.1"), &plain);
    let named = tls_upstream(&authority.issue("storage.internal"), &plain);
    let (trusted, strange) = (format!("ca_file: '{}'", authority.file()), format!("ca_file: '{}'", stranger.file()));
    for (tls, upstream, taken, warned) in [
        (trusted.clone(), address, true, false),
        (String::new(), address, false, false),
        (strange.clone(), address, false, false),
        (trusted.clone(), named, false, false),
        (format!("{trusted}, server_name: storage.internal"), named, true, false),
        (format!("{trusted}, server_name: other.internal"), named, false, false),
        (format!("{trusted}, server_name: storage.internal"), address, false, false),
        (format!("{strange}, verify: false"), named, true, true),
        ("verify: false".to_owned(), address, true, true),
        ("verify: true".to_owned(), address, false, false),
    ] {
        let before = plain.received().len();
        let proxy = serving(&tls, upstream.port(), &rules);
        let answer = proxy.fetch("GET", "/bucket/key", &[ORIGIN]);
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
        if taken {
            assert_eq!((answer.status, answer.text().as_str()), (200, "body"), "{tls}");
        } else {
            assert_eq!((answer.status, answer.element("Code").as_deref()), (502, Some("BadGateway")), "{tls}");
        }
        assert_eq!(plain.received().len() - before, usize::from(taken), "{tls}");
        assert_eq!(proxy.metric(TLS_ERRORS), Some(if taken { 0.0 } else { 1.0 }), "{tls}");
        assert_eq!(proxy.log().iter().any(|line| line["message"] == WARNING), warned, "{tls}");
    }
}

fn expired(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
}

fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(3000, 1, 1);
    params.not_after = rcgen::date_time_ymd(3001, 1, 1);
}

/// The code in the line about an upstream that failed.
fn fault(proxy: &mut Proxy) -> String {
    let response = proxy.fetch("GET", "/bucket/key", &[ORIGIN]);
    assert_eq!((response.status, response.element("Code").as_deref()), (502, Some("BadGateway")));
    let line = proxy.wait_for_log("upstream failed");
    assert_eq!(line["kind"], "tls", "{line}");
    assert!(line["reason"].as_str().unwrap().len() > 10, "{line}");
    assert_eq!(proxy.metric(TLS_ERRORS), Some(1.0));
    line["error"].as_str().unwrap().to_owned()
}

#[test]
fn the_log_tells_the_faults_of_tls_apart() {
    if !is_own() {
        return;
    }
    let (authority, stranger, rules) = (Authority::new(), Authority::new(), Rules::usual());
    let plain = Upstream::ok("body");
    let trusted = format!("ca_file: '{}'", authority.file());
    let (silent, deaf) = (
        Upstream::scripted(|served| {
            served.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            served.read(1);
        }),
        Upstream::scripted(|_| {}),
    );
    let shows = |issued: &Issued| tls_upstream(issued, &plain);
    let itself = Issued::by_itself("127.0.0.1", |_| {});
    for (address, error) in [
        (shows(&authority.issue("storage.internal")), "CertificateWrongName"),
        (shows(&stranger.issue("127.0.0.1")), "CertificateUnknownIssuer"),
        (shows(&itself), "CertificateUnknownIssuer"),
        (shows(&authority.issue_with("127.0.0.1", expired)), "CertificateExpired"),
        (shows(&authority.issue_with("127.0.0.1", not_yet_valid)), "CertificateNotYetValid"),
        (silent.address, "TLSProtocol"),
        (deaf.address, "TLSClosed"),
    ] {
        let mut proxy = serving(&trusted, address.port(), &rules);
        assert_eq!(fault(&mut proxy), error);
    }
    assert!(plain.received().is_empty());
}

#[test]
fn a_certificate_that_ca_file_names_needs_no_issuer_but_its_name_and_time() {
    if !is_own() {
        return;
    }
    let (authority, rules) = (Authority::new(), Rules::usual());
    let plain = Upstream::ok("body");
    for (issued, error) in [
        (Issued::by_itself("127.0.0.1", |_| {}), None),
        (Issued::by_itself("127.0.0.1", |params| params.is_ca = rcgen::IsCa::NoCa), None),
        (authority.issue("127.0.0.1"), None),
        (Issued::by_itself("storage.internal", |_| {}), Some("CertificateWrongName")),
        (authority.issue("storage.internal"), Some("CertificateWrongName")),
        (Issued::by_itself("127.0.0.1", expired), Some("CertificateExpired")),
        (Issued::by_itself("127.0.0.1", not_yet_valid), Some("CertificateNotYetValid")),
    ] {
        let named = format!("ca_file: '{}'", authority.name(&issued));
        let mut proxy = serving(&named, tls_upstream(&issued, &plain).port(), &rules);
        match error {
            None => assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body"),
            Some(error) => assert_eq!(fault(&mut proxy), error),
        }
    }
    // Another of the same name is not the one that was named.
    let (named, other) = (Issued::by_itself("127.0.0.1", |_| {}), Issued::by_itself("127.0.0.1", |_| {}));
    let named = format!("ca_file: '{}'", authority.name(&named));
    let mut proxy = serving(&named, tls_upstream(&other, &plain).port(), &rules);
    assert_eq!(fault(&mut proxy), "CertificateUnknownIssuer");
}

#[test]
fn a_file_of_authorities_that_can_not_be_used_ends_the_start_and_is_named() {
    let (authority, rules) = (Authority::new(), Rules::usual());
    let rules = rules.path().to_str().unwrap();
    let file = authority.path("authorities.pem").display().to_string();
    let config = ConfigFile::new(&format!("upstream: {{url: 'https://127.0.0.1:1', tls: {{ca_file: '{file}'}}}}\n"));
    let issued = authority.issue("x.test");
    let mixed = issued.certificate.clone() + &issued.key;
    for (text, said) in
        [(None, "No such file"), (Some(""), "no certificate in it"), (Some(mixed.as_str()), "and nothing else")]
    {
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let arguments = [
            "serve",
            "--config",
            &config.argument(),
            "--rules",
            rules,
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
        ];
        let ended = run(&arguments);
        assert_eq!(ended.code, Some(1), "{said}: {ended:?}");
        assert!(ended.stderr.contains(&format!("{file}: ")) && ended.stderr.contains(said), "{}", ended.stderr);
        let checked = run(&["check", "--config", &config.argument(), rules]);
        assert_eq!(checked.code, Some(1), "{said}: {checked:?}");
        assert!(checked.stdout.contains(&file) && checked.stdout.contains(said), "{}", checked.stdout);
    }
}

#[test]
fn without_any_authority_https_is_not_begun() {
    let (rules, none) = (Rules::usual(), tempfile::NamedTempFile::new().unwrap());
    let start = |upstream: &str| {
        let mut command = s3cors(&["serve", "--upstream", upstream, "--rules"]);
        command.arg(rules.path()).args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command.env("SSL_CERT_FILE", none.path()).env_remove("SSL_CERT_DIR");
        command
    };
    let ended = run_to_end(start("https://127.0.0.1:1"), "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("upstream.tls.ca_file"), "{}", ended.stderr);
    let upstream = Upstream::ok("body");
    let proxy = Proxy::spawn(start(&format!("http://{}", upstream.address)));
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body", "http needs none");
}

#[test]
fn the_check_warns_of_an_upstream_that_is_not_verified() {
    let rules = Rules::usual();
    let config = ConfigFile::new("upstream:\n  url: https://127.0.0.1:1\n  tls:\n    verify: false\n");
    let rules = rules.path().to_str().unwrap();
    let checked = run(&["check", "--config", &config.argument(), rules]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.contains(&format!("warning: UpstreamNotVerified: {WARNING}")), "{}", checked.stdout);
    assert_eq!(run(&["check", "--strict", "--config", &config.argument(), rules]).code, Some(1));
}
