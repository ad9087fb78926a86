//! Mistakes in a configuration: all of them are named at once, each with its place, its setting and what to write instead.

use crate::support::process::{ConfigFile, Ended, free_address, run, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::io::Write;
use std::net::TcpListener;

/// Runs `check` and `serve` with a configuration file.
fn both(text: &str) -> (Ended, Ended) {
    let config = ConfigFile::new(text);
    let argument = config.argument();
    (run(&["check", "--config", &argument]), run(&["serve", "--config", &argument]))
}

/// The lines that name an error.
fn errors(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.contains(": error: ") || line.starts_with("s3cors: ")).collect()
}

#[test]
fn check_and_serve_name_every_mistake_of_a_file_at_once() {
    let rules = Rules::usual();
    let text = format!(
        "listen: 8080\n\
         admin: 127.0.0.1:x\n\
         upstream:\n  url: minio:9000\n  timeouts: {{conect: 3s, read: 0s, write: 10s}}\n\
         domains: ['*.s3.example.com', ok.example, 'https://x']\n\
         limits:\n  header_size: 10k\n  connections: auto\n\
         rules: {{path: '{}'}}\n\
         log: {{level: loud, formt: json}}\n\
         threads: auto\n\
         metrics:\n  buckets: -1\n\
         lisen: here\n",
        rules.path().display()
    );
    let (check, serve) = both(&text);
    assert_eq!((check.code, serve.code), (Some(1), Some(1)), "{check:?} {serve:?}");
    let expected = [
        (":1:", "listen: ", "write :8080"),
        (":2:8: ", "admin: ", "IP:PORT"),
        (":4:8: ", "upstream.url: ", "write http://minio:9000"),
        (":5:14: ", "upstream.timeouts: ", "did you mean connect"),
        (":5:32: ", "upstream.timeouts.read: ", "longer than 0"),
        (":6:11: ", "domains[0]: ", "write s3.example.com"),
        (":6:43: ", "domains[2]: ", "without scheme"),
        (":8:16: ", "limits.header_size: ", "10KiB"),
        (":9:16: ", "limits.connections: ", "leave the key out"),
        (":11:14: ", "log.level: ", "loud"),
        (":11:20: ", "log: ", "did you mean format"),
        (":12:10: ", "threads: ", "leave the key out"),
        (":14:", "metrics.buckets: ", "-1"),
        (":15:1: ", "lisen", "did you mean listen"),
    ];
    for (said, lines) in [(&check.stdout, errors(&check.stdout)), (&serve.stderr, errors(&serve.stderr))] {
        for (place, setting, instead) in expected {
            let is_it = |line: &&&str| [place, setting, instead].iter().all(|part| line.contains(part));
            assert_eq!(lines.iter().filter(is_it).count(), 1, "{place}{setting}{instead}: {said}");
        }
        assert_eq!(lines.len(), expected.len(), "nothing follows from another mistake: {said}");
    }
}

#[test]
fn a_mistake_in_a_file_is_named_with_what_to_write_instead() {
    const URL: &str = "upstream: {url: 'http://127.0.0.1:1'}\n";
    for (text, place, said) in [
        ("limits: {header_size: 10k}\n", ":2:23: ", "10kB (10,000 bytes) or 10KiB (10,240 bytes)"),
        ("limits: {heads: 32M}\n", ":2:17: ", "32MiB"),
        ("limits: {header_size: auto}\n", ":2:23: ", "leave the key out"),
        ("limits: {connections: 10k}\n", ":2:23: ", "write 10000"),
        ("shutdown: {drain: 25}\n", ":2:19: ", "25s"),
        ("threads: auto\n", ":2:10: ", "leave the key out"),
        ("rules: {path: '${RULES}'}\n", ":2:15: ", "${RULES}"),
        ("rules: {shadow: $(RULES)}\n", ":2:17: ", "as it is written"),
        ("log: {level: '${LEVEL:-info}'}\n", ":2:14: ", "as it is written"),
        ("listen: '${LISTEN}'\n", ":2:9: ", "as it is written"),
        ("domains: '{{ domain }}'\n", ":2:10: ", "as it is written"),
        ("admin: \"'127.0.0.1:1'\"\n", ":2:8: ", "quotes"),
        ("rules: {path: '\"conf/rules\"'}\n", ":2:15: ", "quotes"),
        ("rules: {path: ''}\n", ":2:15: ", "empty"),
        ("rules: {path: 'https://rules.example.com'}\n", ":2:15: ", "not a URL"),
        ("domains: '*.s3.example.com'\n", ":2:10: ", "write s3.example.com"),
        ("domains: ['.*.s3.example.com']\n", ":2:11: ", "domain"),
        ("listen: '::1:8080'\n", ":2:9: ", "write [::1]:8080"),
        ("listen: ':::8080'\n", ":2:9: ", "write [::]:8080"),
        ("listen: 'fe80::1'\n", ":2:9: ", "[fe80::1]:8080"),
        ("listen: 127.0.0.1\n", ":2:9: ", "127.0.0.1:8080"),
        ("listen: s3cors.example.com:8080\n", ":2:9: ", "IP:PORT"),
        ("listen: []\n", ":2:9: ", "an empty list"),
        ("listen: {address: ':2', http2: maybe}\n", ":2:32: ", "true or false"),
        ("hosts: {'*.example.com': {bucket: b}}\n", ":2:", "*.example.com"),
        ("sign: {bucket: site, prefix: docs}\n", ":2:30: ", "sign.prefix: \"docs\": a prefix ends in a slash"),
        ("sign: {bucket: site, prefix: a%20b/}\n", ":2:30: ", "without percent-encoding"),
        ("sign: [{bucket: site}, {bucket: site}]\n", ":2:33: ", "sign[1].bucket: the entry at line 2, column 17"),
        ("sign: {bucket: films, when: granted, index: i.html}\n", ":2:45: ", "sign.index: has no effect"),
        ("grants: {for: '*'}\n", ":2:15: ", "grants.for: \"*\": this matches every key"),
        ("grants: {ttl: 30days}\n", ":2:15: ", "grants.ttl: \"30days\": must be at most 7days"),
        ("grants: {up: 9}\n", ":2:14: ", "grants.up: \"9\": must be at most 8"),
    ] {
        let (check, serve) = both(&format!("{URL}{text}"));
        for (ended, said_there) in [(&check, &check.stdout), (&serve, &serve.stderr)] {
            assert_eq!(ended.code, Some(1), "{text:?}: {ended:?}");
            let found = errors(said_there).iter().any(|line| line.contains(place) && line.contains(said));
            assert!(found, "{text:?}: {place} {said}: {said_there}");
        }
    }
    for (url, said) in [
        ("http://minio:0", "a port is 1 to 65535"),
        ("http://minio:99999", "a port is 1 to 65535"),
        ("http://::1:9000", "write http://[::1]:9000"),
        ("https://fe80::1", "write https://[fe80::1]"),
        ("minio:9000", "write http://minio:9000"),
        ("minio", "write http://minio"),
        ("${UPSTREAM}", "as it is written"),
        ("http://${HOST}:9000", "as it is written"),
        ("\"http://minio:9000\"", "quotes"),
    ] {
        let (check, _) = both(&format!("upstream: {{url: '{url}'}}\n"));
        let found = errors(&check.stdout);
        assert!(found[0].contains(":1:17: ") && found[0].contains(said), "{url}: {}", check.stdout);
        assert_eq!(found.iter().filter(|line| line.contains("upstream")).count(), 1, "said once: {}", check.stdout);
    }
}

#[test]
fn everything_that_stops_a_start_is_named_at_once() {
    let rules = Rules::usual();
    rules.write("photos.xml", "<CORSConfiguration>\n  <Rule/>\n</CORSConfiguration>");
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [listen, admin] = taken.each_ref().map(|socket| socket.local_addr().unwrap());
    let free = free_address();
    // Only its owner can read it.
    let mut keys = tempfile::NamedTempFile::new().unwrap();
    keys.write_all(b"# the keys\n5ECRET\n").unwrap();
    let config = ConfigFile::new(&format!(
        "upstream: 'http://127.0.0.1:1'\n\
         listen:\n- {free}\n- {listen}\n- {{address: '127.0.0.1:0', tls: {{certificate: no/tls.crt, key: no/tls.key}}}}\n\
         admin: {{address: '{admin}', token_file: no/token}}\n\
         rules: {{path: '{}'}}\n\
         grants: {{key_file: '{}'}}\n",
        rules.path().display(),
        keys.path().display()
    ));
    let mut serve = s3cors(&["serve", "--config", &config.argument()]);
    let directory = tempfile::tempdir().unwrap();
    serve.current_dir(directory.path());
    let ended = run_to_end(serve, "");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let working = directory.path().canonicalize().unwrap();
    let relative = format!("is relative to {}", working.display());
    for said in [
        format!("listen: cannot listen on {listen}: "),
        format!("admin: cannot listen on {admin}: "),
        "listen.tls: no/tls.crt: ".to_owned(),
        "admin.token_file: no/token: ".to_owned(),
        format!("grants.key_file: {}:2: not a key of 64 hexadecimal digits", keys.path().display()),
        "photos.xml:2:3: MalformedXML".to_owned(),
        relative,
    ] {
        assert!(ended.stderr.contains(&said), "{said}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains(&format!("cannot listen on {free}")), "{}", ended.stderr);
    assert!(!ended.stderr.contains("5ECRET"), "{}", ended.stderr);
}

#[test]
fn an_address_that_cannot_be_used_is_named_with_its_flag() {
    let rules = Rules::usual();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = socket.local_addr().unwrap().to_string();
    let arguments = ["serve", "--upstream", "http://127.0.0.1:1", "--listen", &taken, "--admin", "192.0.2.1:9180"];
    let ended = run(&[&arguments[..], &["--rules", rules.path().to_str().unwrap()]].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in [
        format!("--listen (or S3CORS_LISTEN): cannot listen on {taken}: "),
        "another process listens there".to_owned(),
        "--admin (or S3CORS_ADMIN): cannot listen on 192.0.2.1:9180: ".to_owned(),
        "no address of this machine".to_owned(),
    ] {
        assert!(ended.stderr.contains(&said), "{said}: {}", ended.stderr);
    }
}

#[test]
fn every_variable_and_flag_that_is_wrong_is_named_at_once_with_those_of_the_file() {
    let config = ConfigFile::new("log: {level: loud}\n");
    let command = |arguments: &[&str]| {
        let mut command = s3cors(arguments);
        command.env("S3CORS_UPSTREAM", "\"http://minio:9000\"").env("S3CORS_LISTEN", "127.0.0.1:0,::1:8080");
        command.env("S3CORS_RULES", "'/etc/s3cors/rules'").env("S3CORS_CONFIG", config.path());
        command
    };
    let ended = run_to_end(command(&["serve", "--admin", "nowhere", "--domain", "${DOMAIN}"]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    for said in [
        "for 'S3CORS_UPSTREAM': ",
        "for 'S3CORS_LISTEN': ",
        "write [::1]:8080",
        "for 'S3CORS_RULES': ",
        "the quotes are a part of the value",
        "for '--admin <ADDR>': ",
        "for '--domain <NAME>': ",
        "as it is written",
        ":1:14: log.level: ",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    for once in ["S3CORS_UPSTREAM", "--help"] {
        assert_eq!(ended.stderr.matches(once).count(), 1, "{once}: {}", ended.stderr);
    }
    let check = run_to_end(command(&["check", "--config", &config.argument()]), "");
    assert_eq!(check.code, Some(2), "{check:?}");
    for said in ["S3CORS_UPSTREAM", "S3CORS_LISTEN", "S3CORS_RULES"] {
        assert!(check.stderr.contains(said), "{said}: {check:?}");
    }
    assert!(check.stderr.contains(":1:14: log.level: "), "{check:?}");
}

#[test]
fn a_variable_that_is_mistyped_is_named_and_one_of_kubernetes_is_not() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let url = format!("http://{}", upstream.address);
    let mistyped = [
        ("S3CORS_UPSTEAM", Some("S3CORS_UPSTREAM")),
        ("S3CORS_UPSTREAMS", Some("S3CORS_UPSTREAM")),
        ("S3CORS_RULE", Some("S3CORS_RULES")),
        ("S3CORS_LISTEN_PORT", Some("S3CORS_LISTEN")),
        ("S3CORS_listen", Some("S3CORS_LISTEN")),
        ("S3CORS_DOMAINS", Some("S3CORS_DOMAIN")),
        ("S3CORS_TOKEN_FILE", Some("S3CORS_ADMIN_TOKEN_FILE")),
        ("S3CORS_PORT", None),
        ("S3CORS_LOG_LEVEL", None),
    ];
    // Kubernetes adds these for Services named s3cors and s3cors-admin.
    let injected = [
        ("S3CORS_SERVICE_HOST", "10.0.0.1"),
        ("S3CORS_SERVICE_PORT", "8080"),
        ("S3CORS_SERVICE_PORT_S3", "8080"),
        ("S3CORS_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("S3CORS_PORT_8080_TCP_PROTO", "tcp"),
        ("S3CORS_PORT_8080_TCP_PORT", "8080"),
        ("S3CORS_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("S3CORS_ADMIN_SERVICE_HOST", "10.0.0.1"),
        ("S3CORS_ADMIN_PORT", "tcp://10.0.0.1:9180"),
        ("S3CORS_ADMIN_PORT_9180_TCP", "tcp://10.0.0.1:9180"),
    ];
    let with_variables = |arguments: &[&str]| {
        let mut command = s3cors(arguments);
        command.envs(mistyped.map(|(name, _)| (name, "5ECRET"))).envs(injected);
        command
    };
    let any = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", &url, "--rules"];
    let mut serve = with_variables(&["serve"]);
    serve.args(any).arg(rules.path());
    let proxy = Proxy::spawn(serve);
    let config = ConfigFile::new(&format!("upstream: '{url}'\nrules: {{path: '{}'}}\n", rules.path().display()));
    let check = run_to_end(with_variables(&["check", "--config", &config.argument()]), "");
    assert_eq!(check.code, Some(0), "a warning: {check:?}");
    let strict = run_to_end(with_variables(&["check", "--strict", "--config", &config.argument()]), "");
    assert_eq!(strict.code, Some(1), "{strict:?}");
    let log = proxy.log();
    let message = |line: &serde_json::Value| line["message"].as_str().unwrap_or_default().to_owned();
    let logged: Vec<_> = log.iter().map(message).filter(|said| said.contains("is not a variable")).collect();
    let checked: Vec<_> = check.stdout.lines().filter(|line| line.contains("is not a variable")).collect();
    assert_eq!((logged.len(), checked.len()), (mistyped.len(), mistyped.len()), "{logged:#?} {checked:#?}");
    for (name, meant) in mistyped {
        let said = format!("{name} is not a variable of s3cors");
        let meant = meant.map_or(String::new(), |meant| format!("did you mean {meant}?"));
        assert!(logged.iter().any(|line| line.contains(&said) && line.contains(&meant)), "{said}: {logged:#?}");
        assert!(checked.iter().any(|line| line.contains(&said) && line.contains(&meant)), "{said}: {checked:#?}");
    }
    // Without the setting that it should have been, nothing starts that could have a log.
    let mut alone = s3cors(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    alone.env("S3CORS_UPSTEAM", "5ECRET");
    let ended = run_to_end(alone, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["no upstream: ", "S3CORS_UPSTEAM is not a variable of s3cors; did you mean S3CORS_UPSTREAM?"] {
        assert!(ended.stderr.contains(said) && !ended.stderr.contains("5ECRET"), "{said}: {}", ended.stderr);
    }
    assert!(!check.stdout.contains("5ECRET") && !log.iter().any(|line| line.to_string().contains("5ECRET")));
}

#[test]
fn a_relative_path_is_told_with_where_it_leads() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap();
    let place = format!("is relative to {}", place.display());
    std::fs::write(directory.path().join("bad.yaml"), "upstream: 'http://127.0.0.1:1'\nrules: {path: no/rules}\n")
        .unwrap();
    let any = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1"];
    for arguments in [
        &["serve", "--config", "no.yaml"][..],
        &["check", "--config", "no.yaml"],
        &[&["serve", "--rules", "no/rules"], &any[..]].concat(),
        &["check", "--config", "bad.yaml"],
        &["check", "no/rules"],
    ] {
        let mut command = s3cors(arguments);
        command.current_dir(directory.path());
        let ended = run_to_end(command, "");
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(&place) || ended.stdout.contains(&place), "{arguments:?}: {ended:?}");
    }
}
