//! Starting: anything that prevents it ends the process at once with every error; flags win over environment, environment over file.

use crate::support::eventually;
use crate::support::http::{Connection, request};
use crate::support::process::{ConfigFile, Ended, free_address, run, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

const UPSTREAM: &str = "http://127.0.0.1:1";
/// A start that fails does so at once: an orchestrator reports it without waiting for a probe.
const AT_ONCE: Duration = Duration::from_secs(2);

fn serve(rules: &str, arguments: &[&str]) -> Ended {
    let usual =
        ["serve", "--upstream", UPSTREAM, "--rules", rules, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    // A repeated flag is an error: flags of the case replace the usual ones.
    let usual = usual[1..].chunks(2).filter(|pair| !arguments.contains(&pair[0])).flatten().copied();
    run(&["serve"].into_iter().chain(usual).chain(arguments.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn invalid_rules_stop_the_start_with_every_error_and_its_place() {
    let rules = Rules::usual();
    rules.write("photos.xml", "<CORSConfiguration>\n  <Rule/>\n</CORSConfiguration>");
    rules.write("videos.json", "{\"CORSRules\": [{\"AllowedOrigins\": [\"*\"]}]}");
    rules.write("bucket.json", "{}");
    rules.write("_other.xml", allowing("*"));
    let ended = serve(rules.path().to_str().unwrap(), &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    for said in
        ["photos.xml:2:3: MalformedXML", "videos.json:1:", "bucket.xml", "bucket.json", "_other.xml: names that begin"]
    {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    assert!(ended.took < AT_ONCE, "{:?}", ended.took);
}

#[test]
fn unreadable_rules_stop_the_start() {
    let rules = Rules::empty();
    std::fs::create_dir(rules.file("bucket.xml")).unwrap();
    std::os::unix::fs::symlink("nowhere", rules.file("link.xml")).unwrap();
    let directory = rules.path().to_str().unwrap();
    let ended = serve(directory, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("bucket.xml: ") && ended.stderr.contains("link.xml: "), "{}", ended.stderr);
    let missing = format!("{directory}/missing");
    let ended = serve(&missing, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in [&format!("{missing}: No such file or directory"), "--rules", "--allow ORIGIN"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
}

#[test]
fn an_empty_directory_starts_without_rules() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    assert_eq!(proxy.ask("GET", "/readyz").status, 200);
    let answer = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://app.example")]);
    assert_eq!((answer.status, answer.cors()), (200, vec![]));
    let warnings = || -> Vec<_> {
        let lines = proxy.log().into_iter();
        lines.filter(|line| line["message"].as_str().is_some_and(|said| said.starts_with("no rules here"))).collect()
    };
    assert_eq!(warnings().len(), 1, "{:?}", proxy.log());
    assert!(proxy.ask("GET", "/status").text().contains("no rules here"));
}

#[test]
fn a_port_in_use_stops_the_start_and_is_named() {
    let rules = Rules::usual();
    let directory = rules.path().to_str().unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let free = free_address().to_string();
    for (arguments, named) in [
        (vec!["--listen", &taken], &taken),
        (vec!["--admin", &taken], &taken),
        (vec!["--listen", "127.0.0.1:0", "--listen", &taken], &taken),
        (vec!["--listen", &free, "--admin", &free], &free),
        (vec!["--listen", &free, "--listen", &free], &free),
    ] {
        let ended = serve(directory, &arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        let said = format!("cannot listen on {named}: ");
        assert!(ended.stderr.contains(&said), "{arguments:?}: {}", ended.stderr);
        assert!(ended.took < AT_ONCE, "{arguments:?}: {:?}", ended.took);
    }
}

#[test]
fn processes_that_ask_for_any_port_get_different_ones() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let start = || Proxy::start(rules.path(), upstream.address);
    let proxies: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // A request to one process is counted by that process only.
    for proxy in &proxies {
        assert_eq!(proxy.preflight("/bucket/key", "https://app.example", "GET").status, 200);
        let counted = "s3cors_preflight_duration_seconds_count";
        eventually("the preflight is counted", || (proxy.metric(counted) == Some(1.0)).then_some(()));
    }
}

#[test]
fn without_an_upstream_the_error_says_what_to_do() {
    let ended = run(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for way in ["--upstream http://HOST:PORT", "S3CORS_UPSTREAM", "upstream.url"] {
        assert!(ended.stderr.contains(way), "{way}: {}", ended.stderr);
    }
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [
        &["serve", "--lisen", "127.0.0.1:1"][..],
        &["serve", "--listen", "nowhere"],
        &["serve", "--upstream", "127.0.0.1:9000"],
        &["serve", "--upstream", "http://x/prefix"],
        &["serve", "--domain", "https://x"],
        &["start"],
        &[],
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains("Usage") || ended.stderr.contains("--help"), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn an_invalid_configuration_file_stops_the_start_with_its_place() {
    for (text, place) in [
        ("upstream:\n  url: http://127.0.0.1:1\nlisten: here\n", ":3:9: "),
        ("log:\n  levle: info\n", ":2:3: "),
        ("shutdown: {drain: 25}\n", ":1:19: "),
    ] {
        let file = ConfigFile::new(text);
        let ended = run(&["serve", "--config", &file.argument()]);
        assert_eq!(ended.code, Some(1), "{text:?}: {ended:?}");
        assert!(ended.stderr.contains(&(file.argument() + place)), "{text:?}: {}", ended.stderr);
    }
    let ended = run(&["serve", "--config", "/nonexistent/s3cors.yaml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("/nonexistent/s3cors.yaml: No such file"), "{}", ended.stderr);
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let rules = Rules::usual();
    let named = ["file", "environment", "flag"].map(|name| (name, Upstream::ok(name)));
    let [file, environment, flag] = named.each_ref().map(|(_, upstream)| format!("http://{}", upstream.address));
    let empty = Rules::empty();
    let config = ConfigFile::new(&format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: {{url: '{file}'}}\nrules: {{path: '{}'}}\n",
        rules.path().display()
    ));
    for (from_environment, from_flag, expected) in
        [(false, false, "file"), (true, false, "environment"), (true, true, "flag")]
    {
        let mut command = s3cors(&["serve"]);
        // The environment also names the file.
        command.env("S3CORS_CONFIG", config.path());
        if from_environment {
            command.env("S3CORS_UPSTREAM", &environment).env("S3CORS_RULES", empty.path());
            command.env("S3CORS_LISTEN", "127.0.0.1:0,127.0.0.1:0").env("S3CORS_DOMAIN", "a.test,b.test");
        }
        if from_flag {
            command.args(["--upstream", &flag, "--rules"]).arg(rules.path());
        }
        let proxy = Proxy::spawn(command);
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), expected);
        let loaded = if from_environment && !from_flag { 0.0 } else { 2.0 };
        assert_eq!(proxy.metric("s3cors_rules_loaded"), Some(loaded), "{expected}");
        if from_flag {
            let headers = [
                ("Host", "bucket.b.test"),
                ("Origin", "https://app.example"),
                ("Access-Control-Request-Method", "GET"),
            ];
            assert_eq!(proxy.fetch("OPTIONS", "/key", &headers).status, 200, "a list in one variable");
        }
    }
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let rules = Rules::usual();
    let upstream = Upstream::ok("body");
    let mut command = s3cors(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
    for variable in ["CONFIG", "LISTEN", "UPSTREAM", "RULES", "ADMIN", "DOMAIN"] {
        command.env(format!("S3CORS_{variable}"), "");
    }
    assert_eq!(Proxy::spawn(command).fetch("GET", "/bucket/key", &[]).status, 200);
}

#[test]
fn an_error_names_the_variable_that_it_is_about_and_shows_no_password() {
    for (variable, value, said) in [
        ("S3CORS_LISTEN", "127.0.0.1:0, nowhere", "invalid value 'nowhere' for 'S3CORS_LISTEN': "),
        ("S3CORS_UPSTREAM", "http://user:5ECRET@minio", "invalid value 'http://...@minio' for 'S3CORS_UPSTREAM': "),
        ("S3CORS_DOMAIN", "http://user:5ECRET@minio", "invalid value 'http://...@minio' for 'S3CORS_DOMAIN': "),
        ("S3CORS_ADMIN", "here", "invalid value 'here' for 'S3CORS_ADMIN': "),
    ] {
        let mut command = s3cors(&["serve"]);
        command.env(variable, value);
        let ended = run_to_end(command, "");
        assert_eq!(ended.code, Some(2), "{variable}: {ended:?}");
        assert!(ended.stderr.contains(said) && !ended.stderr.contains("5ECRET"), "{variable}: {}", ended.stderr);
    }
    let mut command = s3cors(&["serve", "--upstream=http://user:5ECRET@minio"]);
    command.env("S3CORS_UPSTREAM", "http://127.0.0.1:1");
    let ended = run_to_end(command, "");
    assert!(ended.stderr.contains("for '--upstream <URL>': ") && !ended.stderr.contains("5ECRET"), "{}", ended.stderr);
}

#[test]
fn an_open_listener_takes_both_kinds_of_clients_and_leaves_ipv4_to_another() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let url = format!("http://{}", upstream.address);
    let port = free_address().port();
    let (all, of_ipv4, of_ipv6) = (format!(":{port}"), format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    for listen in [&[all.as_str()][..], &[&of_ipv4, &of_ipv6], &[&of_ipv6, &of_ipv4]] {
        let admin = free_address();
        let named = format!("localhost:{}", admin.port());
        let mut command = s3cors(&["serve", "--admin", &named, "--upstream", &url, "--rules"]);
        command.arg(rules.path());
        for address in listen {
            command.args(["--listen", address]);
        }
        let proxy = Proxy::spawn_at(command, SocketAddr::from(([127, 0, 0, 1], port)), admin);
        for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
            let mut connection = Connection::open(address.parse().unwrap());
            assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().status, 200, "{listen:?}");
        }
        let clients = || -> Vec<String> {
            let lines = proxy.log().into_iter();
            let lines = lines.filter_map(|line| Some(line["client"].as_str()?.rsplit_once(':')?.0.to_owned()));
            let mut clients: Vec<_> = lines.collect();
            // A line is written after its response, by the thread of its connection.
            clients.sort();
            clients
        };
        eventually("both are logged", || (clients().len() == 2).then_some(()));
        assert_eq!(clients(), ["127.0.0.1", "[::1]"], "{listen:?}");
    }
}

#[test]
fn the_health_check_exits_with_0_when_ready_and_1_when_not() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let admin = proxy.admin.to_string();
    let healthy = run(&["healthcheck", "--admin", &admin]);
    assert_eq!((healthy.code, healthy.stderr.as_str()), (Some(0), ""), "{healthy:?}");
    let mut command = s3cors(&["healthcheck"]);
    command.env("S3CORS_ADMIN", &admin);
    assert_eq!(run_to_end(command, "").code, Some(0));
    // It is found where `serve` finds it.
    let config = ConfigFile::new(&format!("admin: {admin}\n"));
    assert_eq!(run(&["healthcheck", "--config", &config.argument()]).code, Some(0));
    let mut command = s3cors(&["healthcheck"]);
    command.env("S3CORS_CONFIG", config.path()).env("S3CORS_ADMIN", "");
    assert_eq!(run_to_end(command, "").code, Some(0));
    // Any other response is not ready; without a response the connection error is reported.
    let other = Upstream::answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    for (address, said) in [(other.address.to_string(), "503"), (free_address().to_string(), "refused")] {
        let ended = run(&["healthcheck", "--admin", &address]);
        assert_eq!(ended.code, Some(1), "{address}: {ended:?}");
        assert!(ended.stderr.contains(said), "{address}: {}", ended.stderr);
    }
    assert_eq!(run(&["healthcheck", "--admin", "nowhere"]).code, Some(2));
}

#[test]
fn the_version_names_the_package_version_and_the_revision() {
    for flag in ["--version", "-V"] {
        let ended = run(&[flag]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let expected = format!("s3cors {} (", env!("CARGO_PKG_VERSION"));
        assert!(ended.stdout.starts_with(&expected) && ended.stdout.trim_end().ends_with(')'), "{}", ended.stdout);
    }
}
