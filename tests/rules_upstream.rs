//! The CORS that an upstream keeps for its buckets: `rules.source: upstream` follows it, `s3cors import` writes it as files.

use crate::support::eventually;
use crate::support::process::{ConfigFile, Ended, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// What the server keeps: for each bucket its document, or none.
type Kept = Arc<Mutex<Vec<(&'static str, Option<String>)>>>;

/// A server with bucket CORS, for every credential; one that keeps nothing is broken.
fn server(kept: &Kept) -> Upstream {
    let kept = Arc::clone(kept);
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let (kept, line) = (kept.lock().unwrap().clone(), request.request_line());
            let path = line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
            let cors = kept.iter().find(|(name, _)| path.trim_matches('/') == *name);
            let (status, body) = match cors {
                _ if kept.is_empty() => ("503 Service Unavailable", error("SlowDown")),
                _ if !request.head_text().contains("Credential=test-key/") => ("403 Forbidden", error("AccessDenied")),
                _ if path == "/" => ("200 OK", buckets(&kept)),
                Some((_, Some(document))) if line.contains("?cors") => ("200 OK", document.clone()),
                Some((_, None)) if line.contains("?cors") => ("404 Not Found", error("NoSuchCORSConfiguration")),
                None if line.contains("?cors") => ("404 Not Found", error("NoSuchBucket")),
                _ => ("200 OK", "body".to_owned()),
            };
            served.send(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    })
}

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>it says</Message></Error>")
}

fn buckets(kept: &[(&str, Option<String>)]) -> String {
    let names: String = kept.iter().map(|(name, _)| format!("<Bucket><Name>{name}</Name></Bucket>")).collect();
    format!("<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>")
}

fn with_credentials(mut command: Command) -> Command {
    command.envs([
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
        ("AWS_REGION", "garage"),
    ]);
    command
}

fn import(upstream: &Upstream, rules: &Rules, which: &[&str]) -> Ended {
    let url = format!("http://{}", upstream.address);
    let rules = rules.path().to_str().unwrap();
    let arguments = [&["import", "--upstream", &url, "--rules", rules][..], which].concat();
    run_to_end(with_credentials(s3cors(&arguments)), "")
}

const WHOLE: &str = "<CORSConfiguration><CORSRule><ID>app</ID><AllowedHeader>x-amz-*</AllowedHeader>\
    <AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>https://*.app.example</AllowedOrigin>\
    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule></CORSConfiguration>";

#[test]
fn import_writes_what_the_server_keeps_and_says_what_it_cannot() {
    let patch = allowing("https://app.example").replace("GET", "PATCH");
    let kept =
        Kept::new(Mutex::new(vec![("photos", Some(WHOLE.to_owned())), ("plain", None), ("odd", Some(patch.clone()))]));
    let (upstream, rules) = (server(&kept), Rules::empty());
    let ended = import(&upstream, &rules, &["--all"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["photos: wrote ", "plain: no CORS", "odd: S3 would reject its CORS: ", "PATCH"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    let text = fs::read_to_string(rules.file("photos.xml")).unwrap();
    assert_eq!(
        text.split_whitespace().collect::<String>().split("01/\">").nth(1),
        WHOLE.strip_prefix("<CORSConfiguration>")
    );
    assert!(!rules.file("plain.xml").exists() && !rules.file("odd.xml").exists());
    assert_eq!(s3cors(&["check", rules.path().to_str().unwrap()]).output().unwrap().status.code(), Some(0));

    rules.write("photos.xml", allowing("https://hand.example"));
    let ended = import(&upstream, &rules, &["--bucket", "photos", "--bucket", "gone"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("photos: replaced ")
            && ended.stderr.contains("gone: GetBucketCors: NoSuchBucket: it says")
    );
    assert_eq!(fs::read_to_string(rules.file("photos.xml")).unwrap(), text);
    assert_eq!(import(&upstream, &rules, &["--bucket", "photos"]).code, Some(0));
    assert_eq!(import(&upstream, &rules, &[]).code, Some(2), "a bucket or all");
}

/// Each store keeps a bucket of the other's, too: what it says of that one is nothing.
#[test]
fn rules_of_two_upstreams_follow_their_routes_and_stay_where_one_fails() {
    let both = |photos: &str, videos: &str| {
        vec![
            ("photos", Some(allowing(&format!("https://{photos}.example")))),
            ("videos", Some(allowing(&format!("https://{videos}.example")))),
        ]
    };
    let (first, second) = (Kept::new(Mutex::new(both("a", "wrong"))), Kept::new(Mutex::new(both("wrong", "b"))));
    let (one, two) = (server(&first), server(&second));
    let config = ConfigFile::new(&format!(
        "upstreams: {{one: 'http://{}', two: 'http://{}'}}\nroutes: [{{bucket: 'v*', upstream: two}}, {{bucket: '*', upstream: one}}]\n\
         rules: {{source: upstream, poll: 200ms}}\nlog: {{access: false}}\n",
        one.address, two.address
    ));
    let mut command = with_credentials(s3cors(&["serve", "--config", &config.argument()]));
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let proxy = Proxy::spawn(command);
    let allows = |bucket: &str, origin: &str| {
        proxy.preflight(&format!("/{bucket}/key"), &format!("https://{origin}.example"), "GET").status == 200
    };
    assert!(allows("photos", "a") && allows("videos", "b"));
    assert!(!allows("photos", "wrong") && !allows("videos", "wrong"));
    first.lock().unwrap().clear();
    *second.lock().unwrap() = both("wrong", "c");
    eventually("the rules of the one that answers change", || {
        (allows("videos", "c") && !allows("videos", "b")).then_some(())
    });
    assert!(allows("photos", "a"), "those of the other stay");
    *first.lock().unwrap() = both("d", "wrong");
    eventually("it answers again", || allows("photos", "d").then_some(()));
}

#[test]
fn rules_follow_the_upstream_and_stay_when_it_fails() {
    let kept = Kept::new(Mutex::new(vec![("photos", Some(WHOLE.to_owned())), ("plain", None)]));
    let upstream = server(&kept);
    let config = ConfigFile::new("rules: {source: upstream, poll: 200ms}\nlog: {access: false}\n");
    let mut command = with_credentials(s3cors(&["serve", "--config", &config.argument()]));
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream"]);
    command.arg(format!("http://{}", upstream.address));
    let proxy = Proxy::spawn(command);
    let allows = |bucket: &str, origin: &str| proxy.preflight(&format!("/{bucket}/key"), origin, "GET").status == 200;
    assert!(allows("photos", "https://a.app.example") && !allows("plain", "https://a.app.example"));
    *kept.lock().unwrap() = vec![("photos", None), ("plain", Some(allowing("https://new.example")))];
    eventually("the change is live", || {
        (allows("plain", "https://new.example") && !allows("photos", "https://a.app.example")).then_some(())
    });
    kept.lock().unwrap().clear();
    eventually("the failure shows", || proxy.ask("GET", "/api/rules").text().contains("SlowDown").then_some(()));
    assert!(allows("plain", "https://new.example"), "the last good rules stay");
}
