//! Several stores behind one name: each bucket is at the store that its route names, for every operation.

use crate::support::cors_writer::CorsWriter;
use crate::support::eventually;
use crate::support::process::{ConfigFile, run};
use crate::support::rules::allowing;
use crate::support::two_stores::{PAGE, TwoStores, get, put};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

const ROUTES: &str = "upstream: http://OLD\nupstreams: {new: {url: 'http://NEW'}}\n\
    routes: [{bucket: new-*, upstream: new}, {bucket: moved, upstream: new}]";

/// Every operation on a bucket of each route reaches the one store, and not the other.
#[tokio::test]
async fn every_operation_on_a_bucket_goes_to_the_store_of_its_route() {
    let stores = TwoStores::start(ROUTES);
    let [proxied, ..] = stores.clients();
    for (bucket, is_new) in [("new-photos", true), ("moved", true), ("moved-too", false), ("other", false)] {
        let mark = stores.marks();
        proxied.create_bucket().bucket(bucket).send().await.unwrap();
        put(&proxied, bucket, "a/key", "text").await;
        assert_eq!(get(&proxied, bucket, "a/key").await, "text");
        proxied.head_object().bucket(bucket).key("a/key").send().await.unwrap();
        proxied.head_bucket().bucket(bucket).send().await.unwrap();
        let copy = proxied.copy_object().bucket(bucket).key("copy").copy_source(format!("{bucket}/a/key"));
        copy.send().await.unwrap();
        let listed = proxied.list_objects_v2().bucket(bucket).send().await.unwrap();
        assert_eq!(listed.key_count(), Some(2), "{bucket}");
        multipart(&proxied, bucket).await;
        assert_eq!(stores.presigned("GET", &format!("/{bucket}/a/key")).body, b"text");
        for key in ["a/key", "copy", "parts"] {
            proxied.delete_object().bucket(bucket).key(key).send().await.unwrap();
        }
        let (new, old) = stores.lines_since(mark);
        let (own, other) = if is_new { (new, old) } else { (old, new) };
        assert!(own.len() > 12 && other.is_empty(), "{bucket}: {own:?} {other:?}");
    }
    let listed = proxied.list_buckets().send().await.unwrap();
    let mut names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["moved-too", "other"], "the list of all buckets is the default upstream's");
}

async fn multipart(client: &aws_sdk_s3::Client, bucket: &str) {
    let begun = client.create_multipart_upload().bucket(bucket).key("parts").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = client.upload_part().bucket(bucket).key("parts").upload_id(id).part_number(1);
    let tag = part.body(b"part".to_vec().into()).send().await.unwrap().e_tag;
    let part = CompletedPart::builder().part_number(1).set_e_tag(tag).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let end = client.complete_multipart_upload().bucket(bucket).key("parts").upload_id(id);
    end.multipart_upload(parts).send().await.unwrap();
    assert_eq!(get(client, bucket, "parts").await, "part");
}

#[tokio::test]
async fn the_first_route_that_matches_counts_and_a_star_is_the_default() {
    let settings = "upstreams: {new: 'http://NEW', old: 'http://OLD'}\nroutes: [{bucket: logs-2026, upstream: old}, \
        {bucket: logs-*, upstream: new}, {bucket: '*', upstream: old}]";
    let stores = TwoStores::start(settings);
    let [proxied, new, old] = stores.clients();
    for bucket in ["logs-2026", "logs-2027", "logs"] {
        proxied.create_bucket().bucket(bucket).send().await.unwrap();
    }
    for (store, expected) in [(new, &["logs-2027"][..]), (old, &["logs", "logs-2026"])] {
        let listed = store.list_buckets().send().await.unwrap();
        let mut names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
    }
}

/// A path that servers read as two buckets has no route of its own: it goes where everything else goes, without a grant.
#[tokio::test]
async fn an_ambiguous_path_goes_to_the_default_store_and_gets_no_grant() {
    let stores = TwoStores::start(ROUTES);
    for path in ["/new-photos%2Fkey", "//new-photos/key", "/new-photos/../other/key", "/new-photos\\other/key", "/"] {
        let mark = stores.marks();
        let answer = stores.proxy.fetch("GET", path, &[("Origin", PAGE)]);
        let (new, _) = stores.lines_since(mark);
        assert!(new.is_empty(), "{path}: {new:?}");
        assert!(path == "/" || answer.cors().is_empty(), "{path}: {:?}", answer.cors());
    }
}

#[tokio::test]
async fn a_store_that_is_away_takes_nothing_from_the_others() {
    let stores = TwoStores::start(ROUTES);
    let [proxied, ..] = stores.clients();
    for bucket in ["new-photos", "other"] {
        proxied.create_bucket().bucket(bucket).send().await.unwrap();
        put(&proxied, bucket, "key", bucket).await;
    }
    let status = |bucket: &str| {
        let answer = stores.presigned("GET", &format!("/{bucket}/key"));
        (answer.status, answer.header("access-control-allow-origin").map(str::to_owned))
    };
    let granted = || Some(PAGE.to_owned());
    for (wire, away, there) in [(&stores.new_wire, "new-photos", "other"), (&stores.old_wire, "other", "new-photos")] {
        wire.cut();
        assert_eq!(status(there), (200, granted()), "{there} while {away} is away");
        let (code, origin) = status(away);
        assert!((502..=504).contains(&code) && origin == granted(), "{away}: {code} {origin:?}");
        assert_eq!(stores.proxy.preflight(&format!("/{away}/key"), PAGE, "GET").status, 200, "rules need no store");
        assert_eq!(stores.proxy.ask("GET", "/readyz").status, 200, "no store makes the process less ready");
        wire.restore();
        eventually("it is there again", || (status(away).0 == 200).then_some(()));
    }
}

#[tokio::test]
async fn operators_see_each_store_by_its_name() {
    let stores = TwoStores::start(ROUTES);
    let [proxied, ..] = stores.clients();
    for bucket in ["new-photos", "other"] {
        proxied.create_bucket().bucket(bucket).send().await.unwrap();
    }
    assert_eq!(get(&proxied, "other", "key").await, "NoSuchKey");
    for (series, value) in [
        ("s3cors_upstream_responses_total{class=\"2xx\",upstream=\"new\"}", 1.0),
        ("s3cors_upstream_responses_total{class=\"2xx\",upstream=\"default\"}", 1.0),
        ("s3cors_upstream_responses_total{class=\"4xx\",upstream=\"default\"}", 1.0),
        ("s3cors_upstream_responses_total{class=\"failed\",upstream=\"new\"}", 0.0),
    ] {
        assert_eq!(stores.proxy.metric(series), Some(value), "{series}");
    }
    for (name, address) in [("new", stores.new_wire.address), ("default", stores.old_wire.address)] {
        let series = format!("s3cors_upstream_up{{name=\"{name}\",upstream=\"http://{address}\"}}");
        assert_eq!(stores.proxy.metric(&series), Some(1.0), "{series}");
    }
    let page = stores.proxy.ask("GET", "/status").text();
    for shown in ["new-*", "moved", "Everything else, and the list of all buckets, goes to <strong>default</strong>"] {
        assert!(page.contains(shown), "{shown}");
    }
    stores.new_wire.cut();
    assert!(stores.proxy.fetch("GET", "/new-photos/key", &[]).status >= 502);
    let lines = eventually("the lines are written", || {
        let lines: Vec<_> = stores.proxy.log().into_iter().filter(|line| line["upstream_name"].is_string()).collect();
        (lines.len() == 4).then_some(lines)
    });
    let names: Vec<_> = lines.iter().map(|line| line["upstream_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["new", "default", "default", "new"]);
    let failed = stores.proxy.log().into_iter().find(|line| line["message"] == "upstream failed").unwrap();
    assert_eq!(failed["upstream"], "new");
    assert_eq!(stores.proxy.metric("s3cors_upstream_responses_total{class=\"failed\",upstream=\"new\"}"), Some(1.0));
}

/// The upstream that judges the signature is the one that the bucket is at.
#[tokio::test]
async fn a_rule_by_the_api_is_judged_by_the_store_of_the_bucket() {
    let stores = TwoStores::start(&format!("{ROUTES}\nrules: {{api: on}}"));
    let [_, new, old] = stores.clients();
    new.create_bucket().bucket("new-photos").send().await.unwrap();
    old.create_bucket().bucket("other").send().await.unwrap();
    eventually("writes are served", || (stores.proxy.metric("s3cors_rules_api_writable") == Some(1.0)).then_some(()));
    for (bucket, is_new) in [("new-photos", true), ("other", false)] {
        let (mark, origin) = (stores.marks(), format!("https://{bucket}.example"));
        let target = format!("/{bucket}?cors");
        let written = CorsWriter::put(stores.proxy.address, &target, &allowing(&origin)).send(stores.proxy.address);
        assert_eq!(written.status, 200, "{}", written.text());
        assert_eq!(stores.proxy.preflight(&format!("/{bucket}/key"), &origin, "GET").status, 200);
        let (new, old) = stores.lines_since(mark);
        let is_asked = |lines: &[String]| lines.iter().filter(|line| line.contains("?cors")).count() >= 2;
        let own = if is_new { &new } else { &old };
        assert!(is_asked(own), "asked, and asked again with a broken signature: {new:?} {old:?}");
        let refused = CorsWriter { secret: "wrong", ..CorsWriter::put(stores.proxy.address, &target, &allowing(PAGE)) };
        assert_eq!(refused.send(stores.proxy.address).status, 403);
    }
}

/// Beside a fault in the parts, each says its place and what to do.
#[test]
fn routes_that_do_not_go_together_are_errors_with_their_place() {
    let two = "upstreams: {a: 'http://a:1', b: 'http://b:1'}\n";
    for (settings, said) in [
        (
            "upstreams: {a: 'http://a:1'}\nroutes: {bucket: x*, upstream: a}\n",
            "no upstream for all other buckets: set upstream",
        ),
        (
            "upstream: http://u:1\nupstreams: {a: 'http://a:1'}\nroutes: {bucket: '*', upstream: a}\n",
            "upstream is the route of all other buckets, and so is the route with bucket: '*'",
        ),
        ("upstream: http://u:1\nupstreams: {default: 'http://a:1'}\n", "give the one in upstreams another name"),
        (
            "upstream: http://u:1\nroutes: {bucket: x-*, upstream: gone}\n",
            ":2:33: error: InvalidConfiguration: routes.upstream: no upstream has the name gone",
        ),
        (&format!("{two}routes: [{{bucket: '*', upstream: a, fallback: c}}]\n"), "upstreams has a, b"),
        (&format!("{two}routes: {{bucket: '*', upstream: a, fallback: a}}\n"), "the fallback is the upstream itself"),
        (
            &format!("{two}routes: {{bucket: '*', upstream: a, fallback_delete: first}}\n"),
            "there is no fallback to delete at",
        ),
        (
            &format!("{two}routes: [{{bucket: '*', upstream: a}}, {{bucket: x-*, upstream: b}}]\n"),
            "no bucket gets here: the route at line 2, column 19 takes them all",
        ),
        (&format!("{two}routes: {{bucket: 'a b', upstream: a}}\n"), "no bucket can have this name"),
        ("upstream: http://u:1\nupstreams: {'a b': 'http://a:1'}\n", "an upstream is named with 1 to 63 letters"),
        ("upstream: http://u:1\nupstreams: {a: {host: x}}\n", "no URL; write NAME: http://HOST:PORT"),
        (
            "upstream: http://u:1\nupstreams: {a: {url: 'http://a:1', keepalive: {user_timeout: 1s}}}\n",
            "1s is shorter than timeouts.write",
        ),
        (
            &format!("drivers: pingora\n{two}routes: {{bucket: '*', upstream: a}}\n"),
            "routes needs the drivers of s3cors",
        ),
    ] {
        let file = ConfigFile::new(settings);
        let ended = run(&["check", "--config", &file.argument()]);
        assert_eq!(ended.code, Some(1), "{settings}: {ended:?}");
        assert!(ended.stdout.contains(said) || ended.stderr.contains(said), "{settings}: {said}\n{ended:?}");
    }
    let file = ConfigFile::new(&format!("{two}routes: {{bucket: '*', upstream: a}}\n"));
    let ended = run(&["serve", "--upstream", "http://127.0.0.1:1", "--config", &file.argument()]);
    assert!(ended.stderr.contains("--upstream (or S3CORS_UPSTREAM) is the upstream of every bucket"), "{ended:?}");
}
