//! The commands other than `serve`: output for people and scripts, and the exit status.

use crate::support::process::{ConfigFile, Ended, run, run_to_end, s3cors};
use crate::support::rules::{RULES, Rules, allowing};
use serde_json::{Value, json};

const MALFORMED: &str = "<CORSConfiguration>\n  <Rule/>\n</CORSConfiguration>";
/// Valid but useless: no browser sends an origin with a trailing slash.
const DOUBTFUL: &str = "https://a.example/";

fn of_file(arguments: &[&str], rules: &Rules, names: &[&str]) -> Ended {
    let files: Vec<_> = names.iter().map(|name| rules.file(name).to_str().unwrap().to_owned()).collect();
    run(&arguments.iter().copied().chain(files.iter().map(String::as_str)).collect::<Vec<_>>())
}

#[test]
fn check_exits_with_0_when_valid_1_when_not_and_2_on_wrong_usage() {
    let rules = Rules::usual();
    rules.write("doubtful.xml", allowing(DOUBTFUL));
    rules.write("malformed.xml", MALFORMED);
    let missing = "missing.xml";
    for (arguments, names, code, said) in [
        (&["check"][..], &["bucket.xml"][..], 0, "valid: 0 errors, 0 warnings\n"),
        (&["check", "--strict"], &["bucket.xml"], 0, "valid: 0 errors, 0 warnings\n"),
        (&["check"], &["doubtful.xml"], 0, "valid: 0 errors, 1 warning\n"),
        (&["check", "--strict"], &["doubtful.xml"], 1, "not valid: 0 errors, 1 warning\n"),
        (&["check"], &["malformed.xml"], 1, "malformed.xml:2:3: error: MalformedXML: "),
        (&["check"], &["bucket.xml", "malformed.xml"], 1, "not valid: 1 error, 0 warnings\n"),
        (&["check"], &[""], 1, "not valid: 1 error, 1 warning\n"),
        (&["check"], &[missing], 1, "missing.xml:1:1: error: Unreadable: No such file"),
    ] {
        let ended = of_file(arguments, &rules, names);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?} {names:?}: {ended:?}");
        assert!(ended.stdout.contains(said), "{arguments:?} {names:?}: {}", ended.stdout);
    }
    for arguments in [&["check", "--format", "yaml"][..], &["check", "--stric"], &["explain"], &["convert"]] {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn check_reports_errors_of_the_directory_itself() {
    let rules = Rules::usual();
    rules.write("bucket.json", r#"{"CORSRules":[{"AllowedOrigins":["*"],"AllowedMethods":["GET"]}]}"#);
    rules.write("_strange.xml", allowing("*"));
    rules.write("README.md", "not rules");
    let ended = of_file(&["check", "--format", "json"], &rules, &[""]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let codes: Vec<_> = found["errors"].as_array().unwrap().iter().map(|error| error["code"].clone()).collect();
    assert_eq!(codes, [json!("ReservedName"), json!("TwoFilesForOneBucket")], "{found:#}");
}

#[test]
fn check_as_json_is_one_object_with_the_promised_fields() {
    let rules = Rules::usual();
    rules.write("malformed.xml", MALFORMED);
    rules.write("doubtful.xml", allowing(DOUBTFUL));
    let ended = of_file(&["check", "--format", "json"], &rules, &["malformed.xml", "doubtful.xml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let mut found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found["valid"], false);
    let [error] = found["errors"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    for (field, value) in [
        ("file", json!(rules.file("malformed.xml"))),
        ("line", json!(2)),
        ("column", json!(3)),
        ("code", json!("MalformedXML")),
        ("message", json!("The XML you provided was not well-formed or did not validate against our published schema")),
    ] {
        assert_eq!(error[field], value, "{field}");
    }
    let [warning] = found["warnings"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    let names: Vec<_> = warning.as_object().unwrap().keys().cloned().collect();
    for name in ["file", "line", "column", "code", "message", "hint"] {
        assert!(names.iter().any(|each| each == name), "{name}: {warning}");
    }
    let ended = of_file(&["check", "--format", "json"], &rules, &["bucket.xml"]);
    found = serde_json::from_str(&ended.stdout).unwrap();
    let valid = json!({
        "valid": true, "errors": [], "warnings": [], "files": [rules.file("bucket.xml")], "skipped": [],
    });
    assert_eq!((ended.code, found), (Some(0), valid));
}

#[test]
fn check_says_what_it_did_not_read_and_which_names_no_bucket_has() {
    let rules = Rules::usual();
    rules.write("README.md", "not rules");
    rules.write("photos.yaml", "not rules either");
    rules.write(".bucket.xml.swp", "an editor's");
    std::fs::create_dir(rules.file("team")).unwrap();
    rules.write("team/photos.xml", allowing("*"));
    let ended = of_file(&["check", "--strict"], &rules, &[""]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "what is not read is no fault: {ended:?}");
    for said in [
        "README.md: not read: its name does not end in .xml or .json\n",
        "photos.yaml: not read: ",
        "team: not read: rules in subdirectories are not read\n",
        "valid: 0 errors, 0 warnings\n",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains(".swp"), "{}", ended.stdout);
    rules.write("my photos.xml", allowing("https://a.example"));
    let ended = of_file(&["check", "--format", "json"], &rules, &[""]);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found["files"], json!([rules.file("bucket.xml"), rules.file("my photos.xml")]));
    let skipped: Vec<_> = found["skipped"].as_array().unwrap().iter().map(|skipped| &skipped["file"]).collect();
    assert_eq!(
        skipped,
        ["README.md", "photos.yaml", "team"].map(|name| json!(rules.file(name))).iter().collect::<Vec<_>>()
    );
    let [warning] = found["warnings"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    assert_eq!((&warning["code"], &warning["file"]), (&json!("NoBucketName"), &json!(rules.file("my photos.xml"))));
    assert_eq!(warning["hint"], "name the file after its bucket");
}

#[test]
fn check_warns_of_a_place_without_rules() {
    let rules = Rules::empty();
    rules.write("bucket.yaml", "not rules");
    let directory = rules.path().to_str().unwrap();
    for (arguments, code) in [(&["check", directory][..], 0), (&["check", "--strict", directory], 1)] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(
            ended.stdout.contains(&format!("{directory}:1:1: warning: NoRules: no rules here")),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn check_reads_the_configuration_and_the_rules_that_it_names() {
    let rules = Rules::usual();
    let config = |text: &str| ConfigFile::new(&text.replace("RULES", rules.path().to_str().unwrap()));
    let good = config("upstream: {url: 'http://127.0.0.1:1'}\nrules: {path: 'RULES'}\n");
    assert_eq!(run(&["check", "--config", &good.argument()]).code, Some(0));
    let bad = config("rules: {path: 'RULES'}\nlog: {level: loud}\n");
    let ended = run(&["check", "--config", &bad.argument()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("s3cors.yaml:2:14: error: InvalidConfiguration: "), "{}", ended.stdout);
    rules.write("bucket.xml", MALFORMED);
    let ended = run(&["check", "--config", &good.argument()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("bucket.xml:2:3: error: MalformedXML"), "{}", ended.stdout);
}

/// A listener whose certificate is not there.
const LISTEN: &str =
    "listen: {address: 127.0.0.1:0, tls: {certificate: /nonexistent/tls.crt, key: /nonexistent/tls.key}}\n";

#[test]
fn what_serve_refuses_check_refuses_with_its_place() {
    let rules = Rules::usual();
    let rules = format!("rules: {{path: '{}'}}\n", rules.path().display());
    let url = "upstream: {url: 'http://127.0.0.1:1'}\n";
    for (text, place, said) in [
        (String::new(), ":1:1: error: NoUpstream: ", "upstream.url"),
        ("upstream: {url: []}\n".to_owned(), ":1:1: error: NoUpstream: ", "upstream.url"),
        (format!("{url}limits: {{connections: 0}}\n"), ":2:23: error: InvalidConfiguration: ", "at least 1"),
        (format!("{url}listen: [127.0.0.1:7, 127.0.0.1:7]\n"), ":1:1: error: AddressConflict: ", "127.0.0.1:7"),
        (format!("{url}listen: 0.0.0.0:7\nadmin: 127.0.0.1:7\n"), ":1:1: error: AddressConflict: ", "127.0.0.1:7"),
        (
            "upstream: 'http://localhost:7'\nlisten: ':7'\n".to_owned(),
            ":1:1: error: OwnListener: ",
            "http://localhost:7",
        ),
        ("upstream: 'http://0.0.0.0:7'\nadmin: 127.0.0.1:7\n".to_owned(), ":1:1: error: OwnListener: ", "127.0.0.1:7"),
        (format!("{url}admin: 127.0.0.1:0\n{LISTEN}"), ":1:1: error: UnusableCertificate: ", "/nonexistent/tls.crt"),
        (format!("{url}shutdown: {{handover: /}}\n"), ":1:1: error: UnusableHandover: ", "not a socket"),
        (
            format!("{url}shutdown: {{handover: /tmp/{}}}\n", "x".repeat(120)),
            ":1:1: error: UnusableHandover: ",
            "shutdown.handover",
        ),
    ] {
        let config = ConfigFile::new(&format!("{text}{rules}"));
        let argument = config.argument();
        let ended = run(&["check", "--config", &argument]);
        assert_eq!(ended.code, Some(1), "{text:?}: {ended:?}");
        assert!(ended.stdout.contains(place) && ended.stdout.contains(said), "{text:?}: {}", ended.stdout);
        assert_eq!(run(&["serve", "--config", &argument]).code, Some(1), "{text:?}");
    }
    // All at once, so that the second is not found only when the first is fixed: no upstream, no certificate, no socket.
    let config = ConfigFile::new(&format!("{LISTEN}admin: 127.0.0.1:7\nshutdown: {{handover: /}}\n{rules}"));
    let ended = run(&["check", "--config", &config.argument()]);
    assert!(ended.stdout.contains("not valid: 3 errors"), "{}", ended.stdout);
    // The image's own file names no upstream: the environment does, for `serve` and so for `check`.
    for (upstream, listen, code) in
        [("http://127.0.0.1:1", "", 0), ("", "", 1), ("http://127.0.0.1:1", "127.0.0.1:9180", 1), ("minio:9000", "", 2)]
    {
        let config = ConfigFile::new(&rules);
        let mut check = s3cors(&["check", "--config", &config.argument()]);
        check.env("S3CORS_UPSTREAM", upstream).env("S3CORS_LISTEN", listen);
        assert_eq!(run_to_end(check, "").code, Some(code), "{upstream:?} {listen:?}");
    }
    let config = ConfigFile::new(&format!("upstream: {{url: 'https://127.0.0.1:1'}}\n{rules}"));
    let roots = tempfile::NamedTempFile::new().unwrap();
    let mut check = s3cors(&["check", "--config", &config.argument()]);
    check.env("SSL_CERT_FILE", roots.path()).env_remove("SSL_CERT_DIR");
    let ended = run_to_end(check, "");
    assert_eq!(ended.code, Some(1), "https without CA roots: {ended:?}");
    assert!(ended.stdout.contains(":1:1: error: UnusableCertificate: "), "{}", ended.stdout);
    let config = ConfigFile::new(&format!("{url}listen: [127.0.0.1:0, 127.0.0.1:0]\nadmin: 127.0.0.1:0\n{rules}"));
    assert_eq!(run(&["check", "--config", &config.argument()]).code, Some(0), "port 0 is a different port each time");
}

#[test]
#[cfg(unix)]
fn check_that_cannot_write_its_result_says_so_and_exits_with_1() {
    use std::os::unix::ffi::OsStrExt;
    // JSON is Unicode; a file name need not be.
    let mut check = s3cors(&["check", "--format", "json"]);
    check.arg(std::ffi::OsStr::from_bytes(b"/nonexistent/\xff.xml"));
    let ended = run_to_end(check, "");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("cannot write the result as JSON"), "{}", ended.stderr);
}

#[test]
fn convert_works_both_ways_from_a_file_or_a_pipe_without_loss() {
    let rules = Rules::usual();
    let xml = rules.file("bucket.xml").to_str().unwrap().to_owned();
    let convert = |to: &str, input: &str| run_to_end(s3cors(&["convert", "--to", to]), input);
    let json = run(&["convert", "--to", "json", &xml]);
    assert_eq!((json.code, json.stderr.as_str()), (Some(0), ""), "{json:?}");
    assert_eq!(convert("json", RULES).stdout, json.stdout);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    let app = json!({
        "ID": "app",
        "AllowedOrigins": ["https://app.example"],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["x-amz-*", "content-type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    });
    assert_eq!(value["CORSRules"][0], app);
    let back = convert("xml", &json.stdout);
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(convert("json", &back.stdout).stdout, json.stdout, "the round trip changes nothing");
    assert_eq!(convert("xml", &back.stdout).stdout, back.stdout, "converting to the same form changes nothing");
}

#[test]
fn convert_reports_the_place_of_an_error() {
    let rules = Rules::empty();
    rules.write("wrong.xml", MALFORMED);
    for (ended, place) in [
        (of_file(&["convert", "--to", "json"], &rules, &["wrong.xml"]), "wrong.xml:2:3: MalformedXML"),
        (run_to_end(s3cors(&["convert", "--to", "json"]), MALFORMED), "<stdin>:2:3: MalformedXML"),
        (run_to_end(s3cors(&["convert", "--to", "xml"]), "{\n  \"CORSRules\": 1}"), "<stdin>:2:"),
        (run_to_end(s3cors(&["convert", "--to", "xml"]), ""), "<stdin>:1:1: "),
        (of_file(&["convert", "--to", "xml"], &rules, &["missing.xml"]), "missing.xml: No such file"),
    ] {
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{place}: {ended:?}");
        assert!(ended.stderr.contains(place), "{place}: {}", ended.stderr);
    }
}

#[test]
fn another_tools_form_is_named_with_the_command_that_converts_it() {
    let rules = Rules::empty();
    let r2 = r#"{"rules": [{"allowed": {"origins": ["http://a"], "methods": ["GET", "PATCH"]}}]}"#;
    rules.write("bucket.json", r2);
    let command = "run s3cors convert --from r2 --to json FILE";
    let ended = of_file(&["check"], &rules, &["bucket.json"]);
    assert!(ended.stdout.contains(&format!(": this is Cloudflare R2's form; hint: {command}\n")), "{}", ended.stdout);
    let ended = of_file(&["check", "--format", "json"], &rules, &["bucket.json"]);
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&answer["errors"][0]["hint"], answer["errors"].as_array().unwrap().len()), (&json!(command), 1));
    for from in ["r2", "auto"] {
        let ended = of_file(&["convert", "--from", from, "--to", "json"], &rules, &["bucket.json"]);
        assert_eq!(ended.code, Some(0), "{from}: {ended:?}");
        assert!(ended.stderr.contains("bucket.json: rule 1: method PATCH is left out"), "{from}: {}", ended.stderr);
        rules.write("converted.json", &ended.stdout);
        assert_eq!(of_file(&["check"], &rules, &["converted.json"]).code, Some(0), "{from}: {}", ended.stdout);
    }
    let ended = of_file(&["convert", "--from", "json", "--to", "json"], &rules, &["bucket.json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "asked for another form: {ended:?}");
    assert!(ended.stderr.contains(command), "{}", ended.stderr);
}

#[test]
fn completions_man_page_and_help_are_printed() {
    for (arguments, said) in [
        (&["completions", "bash"][..], "complete -F"),
        (&["completions", "zsh"], "#compdef s3cors"),
        (&["completions", "fish"], "complete -c s3cors"),
        (&["man"], ".TH s3cors 1"),
        (&["man", "explain"], ".TH s3cors-explain 1"),
        (&["--help"], "healthcheck"),
        (&["serve", "--help"], "S3CORS_UPSTREAM"),
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.contains(said), "{arguments:?}: {}", ended.stdout);
    }
    assert_eq!(run(&["completions", "cmd"]).code, Some(2));
    let ended = run(&["man", "sevre"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains("there are serve, "), "{}", ended.stderr);
}

#[test]
fn each_command_has_a_man_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("share/man1");
    let ended = run(&["man", "--all", pages.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""), "{ended:?}");
    let read = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read("s3cors.1"), run(&["man"]).stdout);
    let help = run(&["--help"]).stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    // The lines that go on are indented further.
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<_> = names.filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() >= 9, "{help}");
    for name in &names {
        let page = read(&format!("s3cors-{name}.1"));
        assert_eq!(page, run(&["man", name]).stdout, "{name}");
        assert!(page.contains(&format!("\\fBs3cors {name}\\fR")), "{name}: {page}");
    }
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), names.len() + 1);

    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let ended = run(&["man", "--all", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("file: "), "{}", ended.stderr);
}
