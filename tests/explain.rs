//! `s3cors explain`: why a request is or is not allowed, by rules on disk or by a running proxy.

use crate::support::eventually;
use crate::support::process::{Ended, free_address, run, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use serde_json::{Value, json};

fn explain(rules: &str, arguments: &[&str]) -> Ended {
    run(&["explain", "--rules", rules].into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn explain_says_which_clause_failed_and_what_to_change() {
    let rules = Rules::usual();
    let directory = rules.path().to_str().unwrap();
    let (app, evil) = ("https://app.example", "https://evil.example");
    for (bucket, origin, method, headers, said) in [
        (
            "bucket",
            app,
            "PUT",
            "content-type",
            &["ALLOWED: PUT", "rule 1 (app): origin yes, method yes, headers yes"][..],
        ),
        ("bucket", evil, "PUT", "x-amz-acl", &["DENIED", "reason origin", "add <AllowedOrigin>https://evil.example<"]),
        ("bucket", app, "DELETE", "x-amz-acl", &["DENIED", "reason method", "add <AllowedMethod>DELETE<"]),
        (
            "bucket",
            app,
            "PUT",
            "x-other",
            &["DENIED", "reason header", "not allowed: x-other", "add <AllowedHeader>x-other<"],
        ),
        ("none", app, "GET", "x-amz-acl", &["DENIED", "reason no_rules", "CORS is not enabled for this bucket"]),
    ] {
        let question = ["--bucket", bucket, "--origin", origin, "--method", method, "--request-headers", headers];
        let ended = explain(directory, &question);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        for part in said {
            assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
        }
        let ended = explain(directory, &[&question[..], &["--format", "json"]].concat());
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(answer["allowed"], said[0].starts_with("ALLOWED"), "{answer:#}");
        assert_eq!(answer["bucket"], bucket);
    }
    // A single file has the rules of every bucket.
    let file = rules.file("bucket.xml");
    let question = ["--origin", app, "--method", "GET"];
    assert!(explain(file.to_str().unwrap(), &question).stdout.starts_with("ALLOWED"));
    for (path, arguments) in [("/nonexistent", &question[..]), (directory, &["--origin", "a\nb", "--method", "GET"])] {
        let ended = explain(path, arguments);
        assert_eq!((ended.code, ended.stderr.is_empty()), (Some(1), false), "{path} {arguments:?}: {ended:?}");
    }
}

#[test]
fn explain_proposes_what_allows_the_request_and_nothing_else() {
    let rules = Rules::usual();
    let directory = rules.path().to_str().unwrap().to_owned();
    let ask = |origin: &str, method: &str, headers: &str| {
        let question = ["--bucket", "bucket", "--origin", origin, "--method", method, "--request-headers", headers];
        let ended = explain(&directory, &[&question[..], &["--format", "json"]].concat());
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    let before = std::fs::read_to_string(rules.file("bucket.xml")).unwrap();
    for (origin, method, headers, rules_after, said) in [
        (
            "https://evil.example",
            "PUT",
            "content-type",
            3,
            "pages of https://evil.example, no matter who owns it, can then send PUT",
        ),
        ("https://app.example", "DELETE", "", 3, "pages of https://app.example can then send DELETE"),
        // The second rule is for GET without headers too.
        ("null", "GET", "", 2, "sandboxed frames"),
    ] {
        let denied = ask(origin, method, headers);
        let proposal = &denied["proposal"];
        assert!(proposal["means"].as_str().unwrap().contains(said), "{denied:#}");
        assert_eq!(proposal["json"]["CORSRules"].as_array().unwrap().len(), rules_after, "{denied:#}");
        rules.write("bucket.xml", proposal["xml"].as_str().unwrap());
        assert_eq!(run(&["check", &directory]).code, Some(0), "{denied:#}");
        assert_eq!(ask(origin, method, headers)["allowed"], true, "{denied:#}");
        assert_eq!(ask(&format!("{origin}x"), method, headers)["allowed"], false);
        assert_eq!(ask(origin, method, "x-another")["allowed"], false);
        rules.write("bucket.xml", &before);
    }
    let never = ask("https://app.example", "PATCH", "");
    assert!(never["cannot"].as_str().unwrap().starts_with("S3 rules cannot allow PATCH"), "{never:#}");
    assert_eq!((&never["proposal"], &never["change"]), (&Value::Null, &json!([])));
    let scheme = ask("http://app.example", "PUT", "");
    let rule = &scheme["rules"][0];
    assert_eq!(rule["origin_difference"]["kind"], "scheme", "{scheme:#}");
    assert_eq!(rule["why"][0], "rule 1 allows https://app.example; the page's scheme is http");
}

#[test]
fn explain_takes_a_request_as_a_browser_copies_it() {
    let rules = Rules::usual();
    let directory = rules.path().to_str().unwrap().to_owned();
    let config = rules.config("domains: s3.example.test\nhosts: {photos.example.test: {bucket: bucket}}\n");
    let headers =
        "-H 'origin: https://app.example' -H 'cookie: 5ECRET' -H 'x-other: 5ECRET' -H 'accept: */*' --compressed";
    for (url, arguments, bucket) in [
        ("http://127.0.0.1:8080/bucket/a%20key", &["--rules", &directory][..], "bucket"),
        (
            "https://bucket.s3.example.test/key?X-Amz-Signature=5ECRET",
            &["--config", &config, "--rules", &directory],
            "bucket",
        ),
        ("https://photos.example.test/key", &["--config", &config, "--rules", &directory], "bucket"),
        ("https://bucket.s3.example.test/key", &["--rules", &directory], "key"),
    ] {
        let line = format!("curl '{url}' -X PUT {headers}");
        let ended = run(&[&["explain", "--curl", &line][..], arguments].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        let said = format!("DENIED: PUT from https://app.example to bucket {bucket}");
        assert!(ended.stdout.starts_with(&said) && !ended.stdout.contains("5ECRET"), "{}", ended.stdout);
        assert_eq!(ended.stdout.contains("not allowed: x-other)"), bucket == "bucket", "{}", ended.stdout);
    }
    // Nothing is granted where servers could read another bucket.
    rules.write("_default.xml", allowing("*"));
    for (url, is_ambiguous) in [
        ("http://127.0.0.1:8080/other/a%2Fkey", false),
        ("http://127.0.0.1:8080/bucket%2Fkey", true),
        ("http://127.0.0.1:8080//bucket/key", true),
        ("http://localhost.:8080/bucket/key", true),
    ] {
        let line = format!("curl '{url}' -H 'origin: https://app.example'");
        let said = explain(&directory, &["--curl", &line]).stdout;
        assert_eq!(said.starts_with("DENIED: GET"), is_ambiguous, "{url}: {said}");
        assert_eq!(said.contains("can read its Host and path as different buckets"), is_ambiguous, "{url}: {said}");
    }
    std::fs::remove_file(rules.file("_default.xml")).unwrap();
    for (arguments, code, said) in [
        (&["--curl", "wget 5ECRET"][..], 1, "\"Copy as cURL\""),
        (&["--curl", "curl http://a/b/5ECRET"], 1, "give the page's origin with --origin"),
        (&["--curl", "curl http://a/", "--method", "GET"], 2, "cannot be used with"),
    ] {
        let ended = explain(&directory, arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(said) && !ended.stderr.contains("5ECRET"), "{said}: {}", ended.stderr);
    }
    let of_stdin = s3cors(&["explain", "--rules", &directory, "--curl", "-", "--origin", "https://app.example"]);
    let ended = run_to_end(of_stdin, "curl 'http://a/bucket/k'\n");
    assert!(ended.stdout.starts_with("ALLOWED: GET from https://app.example to bucket bucket"), "{ended:?}");
}

#[test]
fn explain_says_what_a_browser_does_with_the_response() {
    let rules = Rules::empty();
    rules.write("public.xml", allowing("*"));
    let ask = |more: &[&str]| {
        let question = ["--bucket", "public", "--origin", "https://app.example", "--method", "GET"];
        explain(rules.path().to_str().unwrap(), &[&question[..], more].concat())
    };
    for (more, said) in [
        (&[][..], &["ALLOWED", "in the browser: the page gets the response\n"][..]),
        (&["--credentials", "include"], &["ALLOWED", "the page gets an error", "rule 1 grants \"*\"", "carried out"]),
        (&["--read", "ETag,Content-Type"], &["but not its header ETag", "<ExposeHeader>ETag</ExposeHeader>"]),
        (&["--header", "X-A: 1"], &["DENIED", "not allowed: x-a", "the request is not sent"]),
        (
            &["--redirect", "https://a.example", "--redirect", "https://b.example/x"],
            &["the origin null", "no rule grants it"],
        ),
        (&["--target", "http://192.168.0.2:9000"], &["the page gets the response", "Chromium asks the user first"]),
        (&["--target", "http://s3.example"], &["ALLOWED", "requests nothing over plain http"]),
    ] {
        let ended = ask(more);
        assert_eq!(ended.code, Some(0), "{more:?}: {ended:?}");
        for part in said {
            assert!(ended.stdout.contains(part), "{more:?}: {part}: {}", ended.stdout);
        }
    }
    for wrong in
        [["--credentials", "all"], ["--mode", "same-origin"], ["--redirect", "s3"], ["--redirect-status", "200"]]
    {
        assert_eq!(ask(&wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn explain_asks_the_rules_that_are_valid_whatever_is_wrong_with_those_of_others() {
    let rules = Rules::usual();
    let directory = rules.path().to_str().unwrap().to_owned();
    rules.write("broken.xml", "<CORSConfiguration>\n  <Rule/>\n</CORSConfiguration>");
    rules.write("_strange.xml", allowing("*"));
    let question =
        |bucket: &str| explain(&directory, &["--bucket", bucket, "--origin", "https://app.example", "--method", "PUT"]);
    let ended = question("bucket");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("ALLOWED"), "{}", ended.stdout);
    for note in ["s3cors: note: ", "broken.xml is not valid", "_strange.xml is not valid"] {
        assert!(ended.stderr.contains(note), "{note}: {}", ended.stderr);
    }
    // Its own rules are not known, nor are those of a bucket that has only the default.
    rules.write("_default.json", "{");
    for (bucket, code, said) in
        [("broken", 1, "broken.xml:2:3: MalformedXML"), ("other", 1, "_default.json:1:"), ("bucket", 0, "note")]
    {
        let ended = question(bucket);
        assert_eq!(ended.code, Some(code), "{bucket}: {ended:?}");
        assert!(ended.stderr.contains(said), "{bucket}: {}", ended.stderr);
    }
    let service = explain(&directory, &["--origin", "https://app.example", "--method", "GET"]);
    assert_eq!(service.code, Some(0), "a request without a bucket has nothing to do with the default: {service:?}");
}

#[test]
fn explain_asks_a_running_proxy_about_the_request_id_of_a_denial() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let denied = proxy.preflight("/bucket/key", "https://evil.example", "PUT");
    let id = denied.header("x-amz-request-id").unwrap().to_owned();
    let admin = proxy.admin.to_string();
    let asked = ["explain", "--request-id", &id, "--admin", &admin];
    let ended = eventually("it is kept", || Some(run(&asked)).filter(|ended| ended.code == Some(0)));
    for part in [
        &*format!("{id} was denied at "),
        "preflight for /bucket/key",
        "by the rules of bucket, reason origin, refused: https://evil.example",
        "DENIED: PUT from https://evil.example to bucket bucket",
        "nearest is rule 1; to allow this request:\n  add <AllowedOrigin>https://evil.example</AllowedOrigin>",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let json = run(&[&asked[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["reason"], &json["denial"]["request_id"]), (&json!("origin"), &json!(id)));
    let config = rules.config(&format!("admin: {admin}\n"));
    assert_eq!(run(&["explain", "--request-id", &id, "--config", &config]).code, Some(0), "the file says where");
    let unknown = run(&["explain", "--request-id", "0000000000000000", "--admin", &admin]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""));
    assert!(unknown.stderr.contains("no request with this id among the last 10000 denials"), "{unknown:?}");
    let closed = free_address().to_string();
    let unreachable = run(&["explain", "--request-id", &id, "--admin", &closed]);
    assert!(unreachable.code == Some(1) && unreachable.stderr.contains(&closed), "{unreachable:?}");
    assert_eq!(run(&["explain", "--request-id", &id, "--origin", "https://a"]).code, Some(2));
}
