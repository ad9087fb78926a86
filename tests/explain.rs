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
    for (path, arguments, code) in
        [("/nonexistent", &question[..], 1), (directory, &["--origin", "a\nb", "--method", "GET"], 2)]
    {
        let ended = explain(path, arguments);
        assert_eq!((ended.code, ended.stderr.is_empty()), (Some(code), false), "{path} {arguments:?}: {ended:?}");
    }
}

#[test]
fn a_request_is_read_as_a_browser_sends_it_and_has_one_verdict() {
    let rules = Rules::usual();
    let directory = rules.path().to_str().unwrap();
    let ask = |origin: &str, method: &str, headers: &str, more: &[&str]| {
        let question = ["--bucket", "bucket", "--origin", origin, "--method", method, "--request-headers", headers];
        explain(directory, &[&question[..], more].concat())
    };
    for (origin, method, headers, first, browser) in [
        ("https://app.example", "put", "Content-Type", "ALLOWED: PUT from https://app.example", "gets the response"),
        ("https://app.example", "Head", "", "ALLOWED: HEAD", "gets the response"),
        ("https://app.example", "delete", "", "DENIED: DELETE", "is not sent"),
        // The one that Fetch forgot.
        ("https://app.example", "patch", "", "DENIED: patch", "is not sent"),
        ("HTTPS://App.Example:443", "PUT", "", "ALLOWED: PUT from https://app.example", "gets the response"),
        // A script cannot send these: no one asks for them.
        ("https://app.example", "PUT", "Cookie, X-Amz-Acl, Host", "ALLOWED: PUT", "gets the response"),
    ] {
        let ended = ask(origin, method, headers, &[]);
        assert!(ended.stdout.starts_with(first), "{origin} {method}: {ended:?}");
        assert!(ended.stdout.contains(browser), "{origin} {method}: {ended:?}");
        let code = i32::from(first.starts_with("DENIED"));
        assert_eq!(ask(origin, method, headers, &["--exit-code"]).code, Some(code), "{origin} {method}");
        assert_eq!(ended.code, Some(0));
    }
    for (origin, meant) in [
        ("http://localhost:3000/", "did you mean http://localhost:3000?"),
        ("app.example", "did you mean https://app.example?"),
        ("https://app.example/page", "did you mean https://app.example?"),
        ("file:///home/index.html", "did you mean null?"),
        ("*", "no browser sends it"),
    ] {
        let ended = ask(origin, "GET", "", &[]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{origin}: {ended:?}");
        assert!(ended.stderr.contains(meant), "{origin}: {}", ended.stderr);
        let line = format!("curl http://localhost/bucket/key -H 'Origin: {origin}'");
        let ended = explain(directory, &["--curl", &line]);
        assert!(ended.code == Some(2) && ended.stderr.contains(meant), "{origin}: {ended:?}");
    }
}

#[test]
fn a_request_without_a_preflight_has_the_status_of_the_upstream() {
    let rules = Rules::usual();
    let ask = |method: &str, more: &[&str]| {
        let question = ["--bucket", "bucket", "--origin", "https://evil.example", "--method", method];
        explain(rules.path().to_str().unwrap(), &[&question[..], more].concat()).stdout
    };
    let get = ask("GET", &[]);
    for part in [
        "DENIED: GET",
        "no preflight",
        "the response is the upstream's",
        "the request is sent, and the page gets an error",
    ] {
        assert!(get.contains(part), "{part}: {get}");
    }
    assert!(!get.contains("status 403") && !get.contains("CORSResponse"), "{get}");
    let json: Value = serde_json::from_str(&ask("GET", &["--format", "json"])).unwrap();
    assert_eq!((&json["kind"], &json["status"], &json["message"]), (&json!("actual"), &Value::Null, &Value::Null));
    let put = ask("PUT", &[]);
    assert!(put.contains("(status 403, ") && put.contains("the request is not sent"), "{put}");
    // What a page does with the body can force one.
    for forced in ["--upload-listeners", "--stream-body"] {
        let post = ask("POST", &[forced]);
        assert!(post.contains("(status 403, ") && post.contains("the request is not sent"), "{forced}: {post}");
    }
}

#[test]
fn a_bucket_without_rules_has_a_file_that_would_be_read_and_a_near_name() {
    let rules = Rules::empty();
    for bucket in ["avatars", "assets"] {
        rules.write(&format!("{bucket}.xml"), allowing("https://app.example"));
    }
    let directory = rules.path().to_str().unwrap();
    for (bucket, file, near) in [
        ("Avatars", "Avatars.xml", true),
        ("avatars/", "avatars.xml", true),
        ("s3://avatars", "avatars.xml", true),
        ("avatar", "avatar.xml", true),
        ("videos", "videos.xml", false),
    ] {
        let question = ["--bucket", bucket, "--origin", "https://app.example", "--method", "GET"];
        let said = explain(directory, &question).stdout;
        assert!(said.starts_with("DENIED") && said.contains(rules.file(file).to_str().unwrap()), "{bucket}: {said}");
        assert_eq!(said.contains("the bucket avatars has rules; did you mean that one?"), near, "{bucket}: {said}");
        assert!(said.contains("with rules of their own: assets, avatars"), "{bucket}: {said}");
        let json = explain(directory, &[&question[..], &["--format", "json"]].concat()).stdout;
        let json: Value = serde_json::from_str(&json).unwrap();
        let missing = &json["without_rules"];
        assert_eq!(missing["file"], json!(rules.file(file)), "{bucket}: {json:#}");
        assert_eq!(missing["near"], if near { json!("avatars") } else { Value::Null }, "{bucket}: {json:#}");
    }
    // The default's rules are seldom the ones that were meant.
    rules.write("_default.xml", allowing("https://other.example"));
    let question = ["--bucket", "Avatars", "--origin", "https://app.example", "--method", "GET"];
    assert!(explain(directory, &question).stdout.contains("the bucket avatars has rules"));
}

#[test]
fn explain_finds_configuration_rules_and_domains_as_serve_does() {
    let rules = Rules::usual();
    let config = rules.config("rules: {path: /nonexistent}\ndomains: other.test\n");
    let line = "curl https://bucket.s3.test/key -H 'origin: https://app.example'";
    let explain = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = s3cors(&[&["explain"], arguments].concat());
        command.envs(environment.iter().copied());
        run_to_end(command, "")
    };
    let path = rules.path().to_str().unwrap();
    for (arguments, environment) in [
        (&["--curl", line, "--domain", "s3.test", "--rules", path][..], &[][..]),
        (
            &["--curl", line],
            &[("S3CORS_RULES", path), ("S3CORS_DOMAIN", "x.test, s3.test"), ("S3CORS_CONFIG", &config)],
        ),
        (&["--curl", line, "--config", &config, "--domain", "s3.test"], &[("S3CORS_RULES", path)]),
    ] {
        let ended = explain(arguments, environment);
        assert!(ended.stdout.starts_with("ALLOWED: GET from https://app.example to bucket bucket"), "{ended:?}");
    }
    // The rules of the environment are no argument beside a request id.
    let closed = free_address().to_string();
    let ended = explain(&["--request-id", "A1", "--admin", &closed], &[("S3CORS_RULES", path)]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn a_copied_url_of_amazon_names_its_bucket_and_others_say_how_they_were_read() {
    let rules = Rules::usual();
    let ask = |url: &str, more: &str| {
        let line = format!("curl '{url}' -H 'origin: https://app.example' {more}");
        explain(rules.path().to_str().unwrap(), &["--curl", &line]).stdout
    };
    for (url, bucket, said) in [
        ("https://bucket.s3.eu-west-1.amazonaws.com/u/1.png", "bucket", "--domain s3.eu-west-1.amazonaws.com"),
        ("https://bucket.s3.amazonaws.com/u/1.png", "bucket", "--domain s3.amazonaws.com"),
        ("https://s3.eu-west-1.amazonaws.com/bucket/u/1.png", "bucket", "is the first part of the path"),
        ("https://bucket.minio.example.com/u/1.png", "u", "give --domain minio.example.com"),
    ] {
        let explained = ask(url, "");
        assert!(explained.contains(&format!(" to bucket {bucket} (")), "{url}: {explained}");
        assert!(explained.contains(said), "{url}: {explained}");
    }
    let signed = "http://localhost:9000/bucket/key?X-Amz-Signature=5ECRET";
    let said = ask(signed, "-H 'Authorization: Bearer 5ECRET'");
    assert!(said.contains("Only one auth mechanism allowed") && said.contains("remove the header"), "{said}");
    assert!(!said.contains("5ECRET"), "{said}");
    assert!(!ask(signed, "").contains("auth mechanism"));
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
        let other = if origin == "null" { "https://null" } else { &format!("{origin}x") };
        assert_eq!(ask(other, method, headers)["allowed"], false);
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

#[test]
fn an_explanation_of_a_denial_says_what_happened() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let ask = |id: &str| {
        let path = format!("/api/explain?request_id={id}");
        let page = eventually("it is kept", || Some(proxy.ask("GET", &path)).filter(|page| page.status == 200));
        let text = proxy.ask("GET", &format!("{path}&format=text")).text();
        let status = proxy.ask("GET", &format!("/status?request_id={id}")).text();
        (serde_json::from_str::<Value>(&page.text()).unwrap(), text, status)
    };
    // Upload listeners or a stream force a preflight without a header that needs one.
    let preflight = proxy.preflight("/bucket/key", "https://evil.example", "POST");
    let (json, text, status) = ask(preflight.header("x-amz-request-id").unwrap());
    assert_eq!((&json["browser"]["sent"], &json["browser"]["verdict"]), (&json!(false), &json!("blocked")), "{json:#}");
    assert_eq!(json["browser"]["steps"][0]["preflight"]["granted"], false, "{json:#}");
    assert_eq!((&json["denial"]["status"], &json["denial"]["was_answered"]), (&json!(403), &json!(false)));
    for said in [&text, &status] {
        assert!(
            said.contains("The preflight got status 403, so the browser did not send the request itself."),
            "{said}"
        );
        assert!(!said.contains("carried out"), "{said}");
    }
    // A preflight was granted before, or no browser asks: the object is written.
    let headers = [("Origin", "https://evil.example")];
    let answered = proxy.fetch("PUT", "/bucket/key", &headers);
    assert_eq!(answered.status, 200);
    let id = eventually("it is logged", || {
        proxy.log().into_iter().find(|line| line["method"] == "PUT").map(|line| line["request_id"].clone())
    });
    let (json, text, status) = ask(id.as_str().unwrap());
    assert_eq!(
        (&json["browser"]["sent"], &json["status"], &json["kind"]),
        (&json!(true), &Value::Null, &json!("actual"))
    );
    assert_eq!((&json["denial"]["status"], &json["denial"]["was_answered"]), (&json!(200), &json!(true)));
    for said in [&text, &status] {
        assert!(said.contains("The request went to the upstream, and its response has status 200"), "{said}");
        assert!(!said.contains("not sent") && !said.contains("status 403"), "{said}");
    }
}
