//! What must never be in the log: query strings, where presigned URLs have their signature, `Authorization`, and tokens. And what no
//! message about arguments, variables or the configuration may show: a password in a URL.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::process::{ConfigFile, run_to_end, s3cors};
use crate::support::proxy::is_own;
use crate::support::proxy::{PROGRAM, Proxy};
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::process::{Command, Stdio};

const SECRET: &str = "5ECRET";
const TARGET: &str = "/bucket/key?X-Amz-Signature=5ECRET&X-Amz-Security-Token=5ECRET";
const SECRETS: [(&str, &str); 5] = [
    ("Authorization", "AWS4-HMAC-SHA256 Credential=5ECRET, Signature=5ECRET"),
    ("X-Amz-Security-Token", "5ECRET"),
    ("Cookie", "session=5ECRET"),
    ("Referer", "https://app.example/?token=5ECRET"),
    ("Origin", "https://app.example"),
];

/// Fails in every way that there is, and repeats in its answers what it was told.
fn treacherous() -> Upstream {
    Upstream::scripted(|served| {
        let mut answers = 0;
        while let Some(request) = served.request() {
            let echo = request.head_text().replace("\r\n", " ");
            let sent = match request.request_line() {
                line if line.contains("x-close") => return,
                line if line.contains("x-stale") && answers > 0 => return,
                line if line.contains("x-invalid") => served.send(format!("HTTP/1.1 200 OK\r\n{echo}\r\n\r\n")),
                line if line.contains("x-status") => served.send(format!("{echo}\r\n\r\n")),
                line if line.contains("x-length") => {
                    served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {echo}\r\n\r\n"))
                }
                line if line.contains("x-cut") => {
                    served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{echo}"));
                    return;
                }
                _ => served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{echo}", echo.len())),
            };
            if !sent {
                return;
            }
            answers += 1;
        }
    })
}

/// A proxy with this level of log, whose standard error goes to a file: a panic or a stray print would be there.
fn start(rules: &Rules, upstream: &Upstream, level: &str) -> Proxy {
    let config = rules.config(&format!("log: {{level: {level}}}\nlimits: {{body_read: 200ms}}"));
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--config", &config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.args(["--upstream", &format!("http://{}", upstream.address), "--upstream", "http://127.0.0.1:1"]);
    command.arg("--rules").arg(rules.path()).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    command.stderr(Stdio::from(std::fs::File::create(rules.file("stderr")).unwrap()));
    Proxy::spawn(command)
}

fn send_secrets(proxy: &Proxy) {
    for method in ["GET", "PUT", "POST", "OPTIONS"] {
        assert!(proxy.connect().send(request(method, TARGET, &SECRETS, "")).receive().status < 500);
    }
    let asked = [&SECRETS[..], &[("Access-Control-Request-Method", "get")]].concat();
    assert_eq!(proxy.fetch("GET", TARGET, &asked).status, 400);
    for way in ["close", "stale", "invalid", "status", "length", "cut"] {
        for method in ["GET", "GET", "POST"] {
            let target = format!("{TARGET}&x-{way}");
            let headers = [&SECRETS[..], &[("Connection", "close")]].concat();
            let mut connection = proxy.connect();
            connection.send(request(method, &target, &headers, "")).rest();
        }
    }
    for malformed in [
        format!("GET {TARGET}<> HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\n\r\n"),
        format!("GET {TARGET} HTTP/9.9\r\nHost: x\r\nAuthorization: {SECRET}\r\n\r\n"),
        format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization {SECRET}\r\n\r\n"),
        format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\nHost: y\r\n\r\n"),
        format!("PUT {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\nContent-Length: -1\r\n\r\n"),
        format!(
            "PUT {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n"
        ),
        format!(
            "PUT {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\nConnection: host\r\nContent-Length: 9\r\n\r\n{SECRET}"
        ),
        format!("CONNECT {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\n\r\n"),
        format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}"),
    ] {
        let mut connection = proxy.connect();
        let _ = connection.try_send(malformed);
        connection.finish_sending();
        connection.rest();
    }
}

#[test]
fn no_secret_is_in_the_log_whatever_happens_to_a_request() {
    for level in ["info", "debug"] {
        let (rules, upstream) = (Rules::usual(), treacherous());
        let proxy = start(&rules, &upstream, level);
        send_secrets(&proxy);
        // A last one: what stands before it in the log is what the others left there.
        assert_eq!(proxy.fetch("GET", "/bucket/the-last", &[]).status, 200);
        let log = eventually("the last request is logged", || {
            Some(proxy.log()).filter(|log| log.iter().any(|line| line["path"] == "/bucket/the-last"))
        });
        let stderr = std::fs::read_to_string(rules.file("stderr")).unwrap();
        let lines: Vec<_> = log.iter().map(ToString::to_string).chain(stderr.lines().map(str::to_owned)).collect();
        let leaks: Vec<_> = lines.iter().filter(|line| line.contains(SECRET)).collect();
        assert!(leaks.is_empty(), "{level}: {leaks:#?}");
        let logged = |message: &str| log.iter().filter(|line| line["message"] == message).count();
        assert!(logged("request") > 20 && logged("upstream failed") > 8, "{level}: {lines:#?}");
        // Only Pingora logs it, though every driver does it.
        let is_told = lines.iter().any(|line| line.contains("retry: true"));
        assert_eq!(is_told, !is_own(), "{level}: a request was tried again");
        assert_eq!(logged("request failed") > 0, level == "debug", "{lines:#?}");
        assert_eq!(stderr, "", "{level}");
    }
}

#[test]
fn a_failure_has_one_line_and_it_is_ours() {
    let (rules, upstream) = (Rules::usual(), treacherous());
    let proxy = Proxy::start(rules.path(), upstream.address);
    let page = proxy.fetch("GET", "/bucket/key?x-invalid", &SECRETS);
    assert_eq!(page.status, 502);
    let log = eventually("the request is logged", || {
        Some(proxy.log()).filter(|log| log.iter().any(|line| line["message"] == "request"))
    });
    let errors: Vec<_> = log.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{log:#?}");
    assert_eq!(errors[0]["message"], "upstream failed");
    assert_eq!(errors[0]["request_id"].as_str(), page.header("x-amz-request-id"));
}

/// Values that someone gives in place of a URL, an origin, a host or an address.
const WITH_PASSWORD: [&str; 17] = [
    "https://user:5ECRET@minio",
    "https://user:5E@5ECRET@minio",
    "https://user:5ECRET/5ECRET@minio",
    "https://user:a:5ECRET@minio:9000/",
    "https://user:5ECRET%40%2F@minio",
    "https%3A%2F%2Fuser%3A5ECRET%40minio",
    "https://5ECRET@minio",
    "HTTPS://User:5ECRET@Minio",
    "user:5ECRET@minio",
    "//user:5ECRET@minio",
    "https://user:5ECRET",
    "https://user:a,5ECRET@minio",
    "https://user:5ECRET,a@minio",
    "http://user:1,5ECRET,a@minio",
    "https://user:5ECRET?#@minio",
    "https://user:5ECRET 5ECRET@minio",
    "https://minio/?X-Amz-Signature=5ECRET",
];

/// Hints write origins in lower case.
fn assert_silent(command: Command, what: &str) {
    let ended = run_to_end(command, "");
    let output = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code.is_some_and(|code| code > 0), "{what} is accepted: {output}");
    assert!(!output.to_ascii_uppercase().contains(SECRET), "{what}: {output}");
}

#[test]
fn no_message_about_an_argument_shows_a_password() {
    let explain = ["explain", "--rules", "conf/rules"];
    let page = [&explain[..], &["--method", "GET", "--origin", "https://app.example"]].concat();
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["serve"], "--listen"),
        (vec!["serve"], "--upstream"),
        (vec!["serve", "--upstream", "http://127.0.0.1:1"], "--allow"),
        (vec!["serve"], "--admin"),
        (vec!["serve"], "--domain"),
        (vec!["serve"], "--upstreams"),
        (vec!["demo"], "--listen"),
        (vec!["demo"], "--admin"),
        (vec!["demo"], "--page"),
        (vec!["demo"], "--other-page"),
        (vec!["healthcheck"], "--admin"),
        (vec!["learn"], "--admin"),
        (vec!["learn", "--admin", "127.0.0.1:1"], "--origin"),
        (vec!["import", "--all", "--rules", "conf/rules"], "--upstream"),
        ([&explain[..], &["--method", "GET"]].concat(), "--origin"),
        (page.clone(), "--target"),
        (page.clone(), "--redirect"),
        (page.clone(), "--admin"),
        (page.clone(), "--format"),
        (vec!["check"], "--profile"),
        (vec!["convert", "--to", "xml"], "--from"),
    ];
    for value in WITH_PASSWORD {
        for (arguments, flag) in &cases {
            // A server's origin ends where its path begins: a password with a slash is one of another host then.
            let joined = format!("{flag}={value}");
            for given in [vec![*flag, value], vec![joined.as_str()]] {
                let arguments = [arguments.as_slice(), &given].concat();
                // A redirect may have a query.
                if *flag == "--redirect" && value.contains("minio/?") {
                    continue;
                }
                assert_silent(s3cors(&arguments), &arguments.join(" "));
            }
        }
        // In the place of a command, an argument or a request.
        for arguments in [vec![value], vec!["serve", value], vec!["healthcheck", value], vec!["--", value]] {
            assert_silent(s3cors(&arguments), &arguments.join(" "));
        }
        let origin = format!("curl http://minio/bucket/key -H 'Origin: {value}'");
        let option = format!("curl http://minio/bucket/key --url={value}");
        for line in [origin, option] {
            assert_silent(s3cors(&[&explain[..], &["--curl", &line]].concat()), &line);
        }
    }
}

#[test]
fn no_message_about_a_variable_shows_a_password() {
    for value in WITH_PASSWORD {
        for (command, variable) in [
            ("serve", "S3CORS_LISTEN"),
            ("serve", "S3CORS_UPSTREAM"),
            ("serve", "S3CORS_ALLOW"),
            ("serve", "S3CORS_ADMIN"),
            ("serve", "S3CORS_DOMAIN"),
            ("check", "S3CORS_UPSTREAM"),
            ("check", "S3CORS_DOMAIN"),
            ("demo", "S3CORS_LISTEN"),
            ("demo", "S3CORS_ADMIN"),
            ("healthcheck", "S3CORS_ADMIN"),
            ("learn", "S3CORS_ADMIN"),
        ] {
            let mut started = s3cors(&[command]);
            started.env("S3CORS_UPSTREAM", "http://127.0.0.1:1").env(variable, value);
            assert_silent(started, &format!("{command}, {variable}={value}"));
        }
    }
}

#[test]
fn no_message_about_the_configuration_shows_a_password() {
    for value in WITH_PASSWORD {
        // As YAML writes it: each value is a text.
        let text = format!("'{value}'");
        for setting in [
            "listen: VALUE",
            "listen: [VALUE]",
            "listen: {address: VALUE}",
            "listen: {address: ':1', health_path: VALUE}",
            "listen: {address: ':1', proxy_protocol: VALUE}",
            "listen: {address: ':1', tls: VALUE}",
            "admin: VALUE",
            "upstream: VALUE",
            "upstream: [VALUE]",
            "upstream: {url: VALUE}",
            "upstream: {url: ['http://minio', VALUE]}",
            "upstream: {host: VALUE}",
            "upstream: {balance: VALUE}",
            "upstream: {tls: VALUE}",
            "upstream: {tls: {server_name: VALUE}}",
            "upstream: {tls: {verify: VALUE}}",
            "upstream: {health_check: VALUE}",
            "upstream: {health_check: {path: VALUE}}",
            "upstream: {timeouts: {connect: VALUE}}",
            "domains: VALUE",
            "domains: [VALUE]",
            "hosts: VALUE",
            "hosts: {VALUE: {bucket: b}}",
            "hosts: {minio: VALUE}",
            "hosts: {minio: {bucket: b, upstream_host: VALUE}}",
            "forwarded: {trusted: VALUE}",
            "forwarded: {trusted: [VALUE]}",
            "forwarded: VALUE",
            "rules: VALUE",
            "rules: {source: VALUE}",
            "rules: {store: VALUE}",
            "rules: {store: {bucket: b, endpoint: VALUE}}",
            "rules: {refuse: VALUE}",
            "cors: {vary: VALUE}",
            "limits: {header_size: VALUE}",
            "limits: {connections: VALUE}",
            "log: VALUE",
            "threads: VALUE",
            "upstream: {url: &a VALUE}",
            "rules: {path: &a VALUE}\nthreads: *a",
            "rules: {path: &a VALUE}\nlog: *a",
            "VALUE: 1",
            "upstream: {VALUE: 1}",
            "log: {VALUE: 1, VALUE: 2}",
            "threads: !VALUE 1",
            "VALUE",
        ] {
            let tag = value.replace([' ', '@', ','], "_");
            let setting = setting.replace("!VALUE", &format!("!{tag}")).replace("VALUE", &text);
            let file = ConfigFile::new(&format!("{setting}\n"));
            let config = file.argument();
            assert_silent(s3cors(&["check", "--config", &config]), &setting);
            if value == WITH_PASSWORD[0] {
                for arguments in [&["serve"][..], &["check", "--format", "json"], &["healthcheck"]] {
                    let arguments = [arguments, &["--config", &config]].concat();
                    assert_silent(s3cors(&arguments), &format!("{}: {setting}", arguments[0]));
                }
            }
        }
    }
}
