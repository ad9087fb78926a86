//! Output at a terminal: text with colour, the answer first, and a line about work that takes long. Programs get what they always got.

use crate::support::http::{Connection, fetch};
use crate::support::process::{ConfigFile, configured, free_address, run, run_to_end, s3cors};
use crate::support::rules::{Rules, allowing};
use crate::support::terminal::Terminal;
use crate::support::upstream::Upstream;
use crate::support::{eventually, process::Ended};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};

const APP: &str = "https://app.example";
const GREEN: &str = "\x1b[32m";

/// A proxy at a terminal, once it is ready, and its addresses.
fn serving(
    rules: &Rules,
    upstream: &Upstream,
    more: &str,
    variables: &[(&str, &str)],
) -> (Terminal, SocketAddr, SocketAddr) {
    let (listen, admin) = (free_address(), free_address());
    let (rules, upstream) = (rules.path().display(), upstream.address);
    let command =
        format!("s3cors serve --listen {listen} --admin {admin} --upstream http://{upstream} --rules {rules} {more}");
    let terminal = Terminal::run(&command, variables);
    terminal.wait_for("s3cors is ready");
    (terminal, listen, admin)
}

#[test]
fn the_log_is_text_with_colour_on_a_terminal_and_names_the_status_page() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let (terminal, listen, admin) = serving(&rules, &upstream, "", &[]);
    terminal.wait_for(&format!("the status page is at http://{admin}/status\n"));
    fetch(listen, "GET", "/bucket/key?X-Amz-Signature=5ec4e7", &[("Origin", APP)]);
    let denied = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "PUT")];
    fetch(listen, "OPTIONS", "/bucket/key", &denied);
    let shown = terminal.wait_for("(origin)");
    for part in [
        &format!("{GREEN}INFO {}", "\x1b[0m"),
        &*format!("{GREEN}200\x1b[0m GET     /bucket/key  {APP} -> {GREEN}allowed\x1b[0m  "),
        "\x1b[33m403\x1b[0m OPTIONS /bucket/key  https://evil.example -> \x1b[31mdenied\x1b[0m (origin)  ",
    ] {
        assert!(shown.contains(part), "{part:?}: {shown:?}");
    }
    assert!(!shown.contains("5ec4e7") && !shown.contains("request_id"), "{shown:?}");
}

#[test]
fn the_log_is_without_colour_where_that_is_asked_and_json_where_that_is_configured() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    for variables in [[("NO_COLOR", "1")], [("CLICOLOR", "0")], [("TERM", "dumb")]] {
        let (terminal, listen, _) = serving(&rules, &upstream, "", &variables);
        fetch(listen, "GET", "/bucket/key", &[("Origin", APP)]);
        let shown = terminal.wait_for(&format!(" 200 GET     /bucket/key  {APP} -> allowed  "));
        assert!(!shown.contains('\x1b'), "{variables:?}: {shown:?}");
    }
    let json = ConfigFile::new("log: {format: json}\n");
    let (terminal, listen, _) = serving(&rules, &upstream, &format!("--config {}", json.argument()), &[]);
    fetch(listen, "GET", "/bucket/key", &[]);
    let shown = terminal.wait_for("\"target\":\"access\"");
    assert!(shown.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{shown:?}");
}

#[test]
fn the_log_is_json_in_a_pipe_unless_text_is_configured_and_that_has_every_field() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    for (configuration, variables, part) in [
        ("", [("CLICOLOR_FORCE", "1")], None),
        ("log: {format: auto}\n", [("CLICOLOR_FORCE", "1")], None),
        ("log: {format: text}\n", [("NO_COLOR", "1")], Some(" INFO access: request request_id=\"")),
        // A pager that shows colours is behind the pipe.
        ("log: {format: text}\n", [("CLICOLOR_FORCE", "1")], Some("\x1b[32m200\x1b[0m GET     /bucket/key")),
    ] {
        let (listen, admin) = (free_address(), free_address());
        let file = ConfigFile::new(configuration);
        let (address, manage, url) = (listen.to_string(), admin.to_string(), format!("http://{}", upstream.address));
        let mut command = s3cors(&["serve", "--listen", &address, "--admin", &manage, "--upstream", &url]);
        command
            .arg("--rules")
            .arg(rules.path())
            .arg("--config")
            .arg(file.path())
            .env_remove("NO_COLOR")
            .envs(variables);
        let proxy = crate::support::proxy::Proxy::spawn_at(command, listen, admin);
        proxy.fetch("GET", "/bucket/key", &[("Origin", APP)]);
        eventually("the request is logged", || {
            let is_meant = |line: &Value| match part {
                None => line["target"] == "access",
                Some(part) => line.as_str().is_some_and(|line| line.contains(part)),
            };
            proxy.log().iter().any(is_meant).then_some(())
        });
        assert!(part.is_some() || proxy.log().iter().all(Value::is_object), "{:#?}", proxy.log());
    }
}

#[test]
fn no_request_steers_the_terminal() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let (terminal, listen, _) = serving(&rules, &upstream, "", &[("NO_COLOR", "1")]);
    let hostile = b"\x1b]0;title\x07\x1b[2J\xe2\x80\xae\xc2\x9b31m\x7f";
    let lines: [&[&[u8]]; 5] = [
        &[b"GET /bucket/", hostile, b" HTTP/1.1\r\nHost: x\r\n\r\n"],
        &[b"GET /bucket/a HTTP/1.1\r\nHost: x\r\nOrigin: https://", hostile, b"\r\n\r\n"],
        &[b"OPTIONS /bucket/b HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n\
           Access-Control-Request-Headers: ", hostile, b"\r\n\r\n"],
        &[b"GE", hostile, b" /bucket/c HTTP/1.1\r\nHost: x\r\n\r\n"],
        &[b"GET /bucket/d HTTP/1.1\r\nHost: ", hostile, b".s3.example\r\n\r\n"],
    ];
    for line in lines {
        let mut connection = Connection::open(listen);
        connection.send(line.concat());
        connection.receive();
    }
    fetch(listen, "GET", "/bucket/the-last", &[]);
    let shown = terminal.wait_for("/bucket/the-last");
    let is_harmless = |char: char| char == '\n' || (!char.is_control() && char != '\u{202e}');
    assert!(shown.chars().all(is_harmless), "{shown:?}");
}

#[test]
fn an_explanation_begins_with_the_answer_and_has_colour_on_a_terminal() {
    let rules = Rules::usual();
    let question = format!("explain --rules {} --bucket bucket --origin {APP} --method DELETE", rules.path().display());
    let (code, shown) = Terminal::run(&format!("s3cors {question}"), &[]).ended();
    assert_eq!(code, Some(0), "{shown}");
    for part in [
        "\x1b[1m\x1b[31mDENIED\x1b[0m: DELETE from",
        "\x1b[1mnearest is rule\x1b[0m 1; ",
        "method \x1b[1m\x1b[31mNO\x1b[0m, headers yes",
        "\x1b[36m  <CORSRule>\x1b[0m\n",
    ] {
        assert!(shown.contains(part), "{part:?}: {shown:?}");
    }
    let Ended { stdout: plain, .. } = run(&question.split(' ').collect::<Vec<_>>());
    let order = [
        "DENIED: DELETE from https://app.example to bucket bucket (status 403, outcome denied, reason method)\n",
        "nearest is rule 1; to allow this request:\n  add <Allowed",
        "it allows nothing else; rule ",
        "  </CORSRule>\n",
        "rule by rule:\n  rule 1 (app): origin yes, method NO, headers yes\n",
        "in the browser: the request is not sent, and the page gets an error\n",
        "S3's message: CORSResponse: This CORS request is not allowed.",
    ];
    let places: Vec<_> =
        order.iter().map(|part| plain.find(part).unwrap_or_else(|| panic!("{part}: {plain}"))).collect();
    assert!(places.is_sorted() && places[0] == 0, "{places:?}: {plain}");
    assert!(plain.trim_end().lines().last().unwrap().starts_with("S3's message: "), "{plain}");
    assert!(!plain.contains('\x1b'), "{plain:?}");
    let (_, shown) = Terminal::run(&format!("s3cors {question}"), &[("NO_COLOR", "1")]).ended();
    assert_eq!(shown, plain, "a terminal without colour shows the same");
}

#[test]
fn of_many_rules_those_are_shown_that_tell_something() {
    let rules = Rules::empty();
    let rule = |origin: &str, method: &str| {
        format!("<CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>{method}</AllowedMethod></CORSRule>")
    };
    let others: String = (1..=40).map(|number| rule(&format!("https://{number}.example"), "GET")).collect();
    let near = rule(APP, "PUT");
    rules.write("bucket.xml", format!("<CORSConfiguration>{others}{near}{others}</CORSConfiguration>"));
    for (method, first) in [("PUT", "ALLOWED"), ("GET", "DENIED")] {
        let path = rules.path().to_str().unwrap().to_owned();
        let asked = ["explain", "--rules", &path, "--bucket", "bucket", "--origin", APP, "--method", method];
        let said = run(&asked).stdout;
        assert!(said.starts_with(first) && said.contains("  rule 41: "), "{said}");
        assert_eq!(said.matches("\n  rule ").count(), 5, "{said}");
        assert!(said.contains("  76 more rules: --format json shows them\n"), "{said}");
        let json: Value = serde_json::from_str(&run(&[&asked[..], &["--format", "json"]].concat()).stdout).unwrap();
        assert_eq!(json["rules"].as_array().unwrap().len(), 81);
    }
}

#[test]
fn a_check_begins_with_its_verdict_and_says_how_many_files_it_read() {
    let rules = Rules::usual();
    rules.write("doubtful.xml", allowing("https://a.example/"));
    rules.write("README.md", "not rules");
    let path = rules.path().to_str().unwrap();
    let ended = run(&["check", path]);
    assert!(ended.stdout.starts_with("valid: 0 errors, 1 warning\n2 files read\n"), "{}", ended.stdout);
    let one = run(&["check", rules.file("bucket.xml").to_str().unwrap()]);
    assert_eq!(one.stdout, "valid: 0 errors, 0 warnings\n1 file read\n");
    rules.write("broken.xml", "<CORSConfiguration>\n  <Rule/>\n</CORSConfiguration>");
    let (code, shown) = Terminal::run(&format!("s3cors check {path}"), &[]).ended();
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.starts_with("\x1b[1m\x1b[31mnot valid\x1b[0m: 1 error, 1 warning\n3 files read\n"), "{shown:?}");
    for part in [
        "broken.xml:2:3:\x1b[0m \x1b[1m\x1b[31merror\x1b[0m: MalformedXML: ",
        "doubtful.xml:1:30:\x1b[0m \x1b[1m\x1b[33mwarning\x1b[0m: OriginNeverMatches: ",
    ] {
        assert!(shown.contains(part), "{part:?}: {shown:?}");
    }
    let plain = run(&["check", path]).stdout;
    assert!(!plain.contains('\x1b'));
    let error = plain.lines().find(|line| line.contains(": error: MalformedXML: ")).unwrap();
    assert!(!error.contains("The XML you provided"), "{error}");
    let last = plain.lines().last().unwrap();
    assert!(last.starts_with("S3's message for MalformedXML: The XML you provided"), "{plain}");
}

#[test]
fn no_document_and_no_proxy_that_is_asked_steers_the_terminal() {
    let rules = Rules::empty();
    rules.write("a\x1b[2Jb.txt", "not rules");
    let hostile = "\\u001b]0;title\\u0007\\u202e\\u009b2J";
    rules.write(
        "c\x1b[31md.json",
        format!(r#"{{"CORSRules":[{{"AllowedOrigins":["https://{hostile}","{hostile}*{hostile}*"],"AllowedMethods":["{hostile}"],"{hostile}":1}}]}}"#),
    );
    let body = "DENIED: \x1b]0;title\x07 \u{202e}\u{9b}2J\n";
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    // It closes the connection, which is the end of the body for who asks.
    let admin = Upstream::scripted(move |served| {
        served.request();
        served.send(&response);
    });
    let shown = [
        run(&["check", rules.path().to_str().unwrap()]),
        run(&["explain", "--request-id", "6F1B3A0C9D2E4857", "--admin", &admin.address.to_string()]),
    ];
    for Ended { stdout, .. } in &shown {
        let steers = |char: char| char != '\n' && (char.is_control() || char == '\u{202e}');
        assert!(!stdout.is_empty() && !stdout.contains(steers), "{stdout:?}");
    }
    assert!(shown[0].stdout.contains(": error: ") && shown[1].stdout.starts_with("DENIED: "), "{shown:?}");
}

#[test]
fn work_that_takes_long_is_told_on_a_terminal_and_never_on_standard_output() {
    let out = tempfile::NamedTempFile::new().unwrap();
    let path = out.path().display();
    let mut terminal = Terminal::run(&format!("s3cors check - >{path}"), &[]);
    terminal.wait_for("s3cors: note: reading standard input (Ctrl-D ends it) ...\n");
    terminal.enter(&format!("{}\n\x04", allowing(APP)));
    assert_eq!(terminal.ended().0, Some(0));
    assert_eq!(std::fs::read_to_string(out.path()).unwrap(), "valid: 0 errors, 0 warnings\n");

    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let rules = Rules::empty();
    let credentials = "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b";
    let source = rules.config("rules: {source: upstream}\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\n");
    for (command, said) in [
        (
            format!("import --upstream http://{address} --all --rules {}", rules.path().display()),
            format!("asking http://{address} which buckets there are"),
        ),
        (format!("learn --admin {address}"), format!("asking {address}")),
        (
            format!("serve --config {source} --upstream http://{address}"),
            "asking for the rules of all buckets".to_owned(),
        ),
    ] {
        let terminal = Terminal::run(&format!("export {credentials}; s3cors {command} >{path}"), &[]);
        terminal.wait_for(&format!("s3cors: note: {said} ...\n"));
        assert!(!std::fs::read_to_string(out.path()).unwrap().contains(&said));
        // A program that reads standard error gets no such line: only a terminal has one.
    }
}

#[test]
fn what_takes_long_is_not_told_where_standard_error_is_no_terminal() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = silent.local_addr().unwrap().to_string();
    // The command gives up by itself after two seconds.
    let ended = run_to_end(s3cors(&["learn", "--admin", &admin]), "");
    assert!(ended.code == Some(1) && ended.stderr.lines().count() == 1, "{ended:?}");
}

#[test]
fn the_log_has_the_form_that_is_configured_and_no_other_word() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = configured(rules.path(), upstream.address, "log: {format: auto}\n");
    assert!(proxy.log().iter().all(Value::is_object));
    let file = rules.config("upstream: http://127.0.0.1:1\nlog: {format: console}\n");
    let ended = run(&["check", "--config", &file]);
    assert!(ended.code == Some(1) && ended.stdout.contains("expected one of auto, json, text"), "{ended:?}");
}
