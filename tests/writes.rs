//! A bucket's document that is written is durable, then live; whatever happens meanwhile, it is the old one or the new one.

use crate::support::DEADLINE;
use crate::support::rules::{Rules, allowing};
use s3_cors::{CorsConfiguration, Credentials, Document, Format, MAX_DOCUMENT_LENGTH};
use s3cors_proxy::rules::{Directory, Store, WriteError, Written, check};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Tells the test of crashes that it is the process to kill: where it writes.
const KILLED: &str = "S3CORS_TEST_WRITES_TO";
/// The test of crashes ends after so many writes were answered, and so many processes killed.
const ANSWERED: usize = 200;
const KILLS: usize = 60;

fn store(rules: &Path) -> Store {
    Store::of(Box::new(Directory::new(rules.to_owned())), Credentials::S3).unwrap()
}

fn document(origin: &str) -> CorsConfiguration {
    Document::parse(allowing(origin).as_bytes(), Format::Xml).unwrap().into_configuration()
}

fn numbered(number: usize) -> CorsConfiguration {
    document(&format!("https://v{number}.example"))
}

fn second(number: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + number)
}

/// The origins that a bucket's own document allows.
fn live(store: &Store, bucket: &str) -> Option<String> {
    let configuration = store.live().own(bucket)?.configuration()?;
    Some(configuration.rules()[0].allowed_origins()[0].to_string())
}

/// The documents on disk.
fn names(rules: &Path) -> Vec<String> {
    let entries = fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

#[test]
fn a_document_keeps_the_form_that_it_was_written_in_by_hand() {
    let json = r#"[{"AllowedOrigins":["https://hand.example"],"AllowedMethods":["GET"]}]"#;
    let xml = &allowing("https://hand.example");
    for (by_hand, after) in [
        (&[][..], "bucket.xml"),
        (&[("bucket.xml", xml.as_str())], "bucket.xml"),
        (&[("bucket.json", json)], "bucket.json"),
        // The reload rejects two; a write settles which.
        (&[("bucket.json", json), ("bucket.xml", xml)], "bucket.xml"),
    ] {
        let rules = Rules::empty();
        rules.write("_default.xml", allowing("https://default.example"));
        let store = store(rules.path());
        by_hand.iter().for_each(|(name, text)| rules.write(name, text));
        store.reload();
        store.put("bucket", &document("https://put.example"), second(1)).unwrap();
        assert_eq!(live(&store, "bucket").as_deref(), Some("https://put.example"), "{by_hand:?}");
        assert_eq!(names(rules.path()), ["_default.xml", after]);
        assert!(store.errors().is_empty() && store.reload().changed.is_empty(), "the disk holds what is live");
        rules.write(after, if after.ends_with("json") { json } else { xml });
        assert_eq!(store.reload().changed, ["bucket"], "an edit by hand goes on to work");
        store.delete("bucket", second(1)).unwrap();
        assert_eq!((live(&store, "bucket"), names(rules.path())), (None, vec!["_default.xml".to_owned()]));
        assert!(store.reload().changed.is_empty());
    }
}

#[test]
fn a_write_says_what_it_changed_and_get_returns_what_was_put() {
    let rules = Rules::empty();
    let store = store(rules.path());
    let put = |origin: &str| store.put("bucket", &document(origin), second(1)).unwrap();
    let first = put("https://a.example");
    assert_eq!(first.before, None);
    assert_eq!(first.after.unwrap().to_string().len(), 64);
    let xml = store.live().own("bucket").unwrap().to_xml().unwrap().unwrap();
    assert!(xml.contains("<AllowedOrigin>https://a.example</AllowedOrigin><"), "{xml}");
    let other = put("https://b.example");
    assert_eq!(other.before, first.after);
    assert_ne!(other.after, first.after);
    assert_eq!(put("https://b.example"), Written { before: other.after, after: other.after }, "a retry");
    assert_eq!(store.delete("bucket", second(1)), Ok(Written { before: other.after, after: None }));
    assert_eq!(store.delete("bucket", second(1)), Ok(Written { before: None, after: None }), "there need not be one");
}

#[test]
fn a_write_signed_before_the_last_one_is_stale_even_after_a_restart_an_edit_or_a_removal() {
    let rules = Rules::empty();
    let stale = |signed: u64, last: u64| {
        let store = store(rules.path());
        let before = live(&store, "bucket");
        let error = Err(WriteError::Stale { last: second(last) });
        assert_eq!(store.put("bucket", &document("https://old.example"), second(signed)), error);
        assert_eq!(store.delete("bucket", second(signed)), error);
        assert_eq!(live(&store, "bucket"), before);
    };
    store(rules.path()).put("bucket", &numbered(1), second(10)).unwrap();
    stale(9, 10);
    rules.write("bucket.xml", allowing("https://hand.example"));
    stale(9, 10);
    fs::remove_file(rules.file("bucket.xml")).unwrap();
    stale(9, 10);
    store(rules.path()).put("bucket", &numbered(2), second(10)).unwrap();
    store(rules.path()).delete("bucket", second(20)).unwrap();
    stale(19, 20);
    store(rules.path()).put("other-bucket", &numbered(3), second(1)).unwrap();
    store(rules.path()).put("bucket", &numbered(4), second(20)).unwrap();
    assert_eq!(names(rules.path()), ["bucket.xml", "other-bucket.xml"]);
}

#[test]
fn the_times_of_removed_documents_do_not_pile_up() {
    let rules = Rules::empty();
    let store = store(rules.path());
    let time = |bucket: &str| rules.path().join(".s3cors").join(format!("{bucket}.signed"));
    for bucket in ["old", "new"] {
        store.delete(bucket, second(1)).unwrap();
        assert!(time(bucket).exists());
    }
    let week = Duration::from_secs(9 * 24 * 60 * 60);
    fs::File::options().write(true).open(time("old")).unwrap().set_modified(SystemTime::now() - week).unwrap();
    store.delete("any", second(1)).unwrap();
    assert!(!time("old").exists() && time("new").exists());
}

#[test]
fn what_cannot_be_written_is_an_error_and_changes_nothing() {
    let rules = Rules::empty();
    rules.write("bucket.xml", allowing("https://hand.example"));
    let store = store(rules.path());
    for name in ["_default", "_service", "../bucket", "a/b", "..", "", "bucket\0", ".s3cors"] {
        assert_eq!(store.put(name, &numbered(1), second(1)), Err(WriteError::NoBucketName), "{name}");
        assert_eq!(store.delete(name, second(1)), Err(WriteError::NoBucketName), "{name}");
    }
    std::os::unix::fs::symlink("..2026", rules.file("..data")).unwrap();
    let errors = [store.put("bucket", &numbered(1), second(1)), store.delete("bucket", second(1))];
    for error in errors.map(Result::unwrap_err) {
        assert!(error.to_string().contains("ConfigMap"), "{error}");
    }
    fs::remove_file(rules.file("..data")).unwrap();
    let file = self::store(&rules.file("bucket.xml"));
    let error = file.put("bucket", &numbered(1), second(1)).unwrap_err();
    assert!(matches!(&error, WriteError::ReadOnly { place, .. } if *place == rules.file("bucket.xml")), "{error}");
    // In place of the directory that writing needs.
    rules.write(".s3cors", "");
    let error = store.put("bucket", &numbered(1), second(1)).unwrap_err();
    assert!(matches!(error, WriteError::Failed { .. }), "{error}");
    fs::remove_file(rules.file(".s3cors")).unwrap();
    assert_eq!(live(&store, "bucket").as_deref(), Some("https://hand.example"));
    assert_eq!(fs::read_to_string(rules.file("bucket.xml")).unwrap(), allowing("https://hand.example"));
    store.put("bucket", &numbered(1), second(1)).unwrap();
    fs::write(rules.file(".s3cors/bucket.signed"), "yesterday").unwrap();
    let error = store.put("bucket", &numbered(2), second(2)).unwrap_err().to_string();
    assert!(error.contains("bucket.signed: not a time"), "{error}");
}

#[test]
fn a_document_of_nearly_the_longest_length_is_kept_without_spaces() {
    let mut text = allowing("https://a.example").replace("</CORSRule></CORSConfiguration>", "");
    while text.len() < MAX_DOCUMENT_LENGTH - 300 {
        text.push_str("<AllowedOrigin>https://a.example</AllowedOrigin>");
    }
    text.push_str("</CORSRule></CORSConfiguration>");
    let long = Document::parse(text.as_bytes(), Format::Xml).unwrap().into_configuration();
    assert!(long.to_xml().unwrap().len() > MAX_DOCUMENT_LENGTH, "indented, it would be too long");
    for (name, by_hand) in [("bucket.xml", allowing("https://b.example")), ("bucket.json", String::new())] {
        let rules = Rules::empty();
        let store = store(rules.path());
        rules.write(name, by_hand);
        store.put("bucket", &long, second(1)).unwrap();
        assert!(store.reload().changed.is_empty());
        assert_eq!(names(rules.path()), [name]);
    }
}

#[test]
fn writes_at_the_same_time_are_applied_one_after_the_other() {
    const WRITERS: usize = 6;
    const WRITES: usize = 10;
    let rules = Rules::empty();
    // Two stores, as two processes during a handover have.
    let stores = [store(rules.path()), store(rules.path())];
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(stores[0].reload());
            }
        });
        let writer = |writer: usize| {
            let stores = &stores;
            move || {
                for write in 0..WRITES {
                    let bucket = format!("bucket-{writer}");
                    let number = writer * WRITES + write;
                    stores[0].put(&bucket, &numbered(number), second(1)).unwrap();
                    assert_eq!(live(&stores[0], &bucket), Some(format!("https://v{number}.example")));
                    stores[write % 2].put("shared", &numbered(number), second(1)).unwrap();
                }
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(writer(number))).collect();
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    stores.iter().for_each(|store| drop(store.reload()));
    for bucket in ["shared", "bucket-0", "bucket-5"] {
        assert!(stores[0].errors().is_empty());
        assert_eq!(live(&stores[0], bucket), live(&stores[1], bucket), "{bucket}");
    }
}

#[test]
fn the_last_write_to_be_answered_is_the_one_that_stays() {
    let rules = Rules::empty();
    let store = store(rules.path());
    let five = &|writer: usize| -> Vec<Written> {
        let numbers = writer * 5..writer * 5 + 5;
        numbers.map(|number| store.put("bucket", &numbered(number), second(1)).unwrap()).collect()
    };
    let written: Vec<Written> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || five(writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    // Each write names the one before it: together they are one row, and none is missing.
    let next: HashMap<_, _> = written.iter().map(|w| (w.before.map(|d| d.to_string()), w.after)).collect();
    let (mut last, mut row) = (None, 0);
    while let Some(after) = next.get(&last.map(|digest: s3cors_proxy::rules::Digest| digest.to_string())) {
        (last, row) = (*after, row + 1);
    }
    assert_eq!(row, written.len());
    assert_eq!(store.put("bucket", &document("https://end.example"), second(1)).unwrap().before, last);
}

/// Not a test: the process that the next one kills. It writes for as long as it lives, and says what was answered.
#[test]
fn killed_while_it_writes() {
    let Some(rules) = std::env::var_os(KILLED).map(PathBuf::from) else { return };
    let store = store(&rules);
    let first = live(&store, "bucket").map_or(1, |origin| number_of(&origin) + 1);
    for number in first.. {
        store.put("bucket", &numbered(number), second(number as u64)).unwrap();
        println!("\nwritten {number}");
    }
}

fn number_of(origin: &str) -> usize {
    origin.trim_start_matches("https://v").trim_end_matches(".example").parse().unwrap()
}

#[test]
fn killed_at_any_moment_the_old_or_the_new_document_is_live_after_the_restart() {
    let rules = Rules::empty();
    let (mut answered, mut kills, mut unanswered) = (0, 0, 0);
    let started = Instant::now();
    while answered < ANSWERED || kills < KILLS {
        assert!(started.elapsed() < DEADLINE * 10, "{answered} of {ANSWERED} writes");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes::killed_while_it_writes", "--nocapture"])
            .env(KILLED, rules.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut written = |line: String| line.strip_prefix("written ").map(|number| number.parse::<usize>().unwrap());
        let first = lines.find_map(&mut written);
        // The moment of the kill is what varies: no condition stands for it.
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..10_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines.filter_map(written).last().or(first).expect("one write was answered");
        let store = store(rules.path());
        assert!(check(&Directory::new(rules.path().to_owned()), &[]).errors.is_empty());
        assert_eq!(names(rules.path()), ["bucket.xml"]);
        let now = number_of(&live(&store, "bucket").unwrap());
        assert!(now == last || now == last + 1, "{last} was answered and {now} is live");
        let stale = store.put("bucket", &numbered(0), second(last as u64 - 1));
        assert!(matches!(stale, Err(WriteError::Stale { .. })), "{stale:?}");
        (answered, kills, unanswered) = (last, kills + 1, unanswered + usize::from(now != last));
    }
    println!("{kills} kills in {answered} writes; {unanswered} writes were live and not answered");
}
