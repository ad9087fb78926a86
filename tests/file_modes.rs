//! The users that may read and write the documents of the program, whatever the umask that it was started with.

use crate::support::cors_writer::CorsWriter;
use crate::support::eventually;
use crate::support::process::{ConfigFile, run_to_end, s3cors};
use crate::support::proxy::{PROGRAM, Proxy};
use crate::support::rules::{Rules, allowing};
use crate::support::store::{Store, client};
use crate::support::upstream::Upstream;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const UMASKS: [&str; 3] = ["000", "022", "077"];

/// The program with this umask.
fn with_umask(umask: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    for (name, _) in s3cors(&[]).get_envs() {
        command.env_remove(name);
    }
    command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\""), PROGRAM]).args(arguments);
    command.envs([("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "us-east-1")]);
    command
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every file below a directory that has something to read.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    found.filter(|path| fs::metadata(path).unwrap().len() > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_the_api_writes_is_its_owners_and_its_groups() {
    for umask in UMASKS {
        let (rules, store) = (Rules::empty(), Store::start());
        client(store.address).create_bucket().bucket("bucket").send().await.unwrap();
        let config = ConfigFile::new("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nrules: {api: on}\n");
        let upstream = format!("http://{}", store.address);
        let rules_path = rules.path().to_str().unwrap();
        let arguments = ["serve", "--config", &config.argument(), "--upstream", &upstream, "--rules", rules_path];
        let proxy = Proxy::spawn(with_umask(umask, &arguments));
        eventually("writes are served", || (proxy.metric("s3cors_rules_api_writable") == Some(1.0)).then_some(()));
        for origin in ["https://a.example", "https://b.example"] {
            let put = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(origin));
            assert_eq!(put.send(proxy.address).status, 200, "{umask}");
            let written = files(rules.path());
            assert!(written.contains(&rules.file("bucket.xml")) && written.len() == 2, "{written:?}");
            for path in written {
                assert_eq!(mode(&path), 0o640, "umask {umask}: {}", path.display());
            }
        }
    }
}

#[test]
fn a_document_that_was_imported_is_its_owners_and_its_groups() {
    let body = allowing("https://app.example");
    let upstream = Upstream::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let url = format!("http://{}", upstream.address);
    for umask in UMASKS {
        // An older file: no one gets more than it allowed, and others get nothing.
        for (older, expected) in [(None, 0o640), (Some(0o666), 0o640), (Some(0o644), 0o640), (Some(0o600), 0o600)] {
            let rules = Rules::empty();
            if let Some(older) = older {
                rules.write("bucket.xml", allowing("https://hand.example"));
                fs::set_permissions(rules.file("bucket.xml"), Permissions::from_mode(older)).unwrap();
            }
            let path = rules.path().to_str().unwrap();
            let arguments = ["import", "--upstream", &url, "--rules", path, "--bucket", "bucket"];
            let ended = run_to_end(with_umask(umask, &arguments), "");
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert_eq!(mode(&rules.file("bucket.xml")), expected, "umask {umask}, before {older:?}");
        }
    }
}

#[test]
fn the_copy_of_an_upstreams_rules_is_its_owners_and_its_groups() {
    let cors = allowing("https://app.example");
    let upstream = Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let buckets = "<ListAllMyBucketsResult><Buckets><Bucket><Name>photos</Name></Bucket></Buckets></ListAllMyBucketsResult>";
            let body = if request.request_line().contains("cors") { &cors } else { buckets };
            served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    for umask in UMASKS {
        let rules = Rules::empty();
        let path = rules.path().to_str().unwrap();
        let config = ConfigFile::new(&format!(
            "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nrules: {{source: upstream, path: '{path}'}}\n"
        ));
        let url = format!("http://{}", upstream.address);
        let _proxy = Proxy::spawn(with_umask(umask, &["serve", "--config", &config.argument(), "--upstream", &url]));
        let copied = eventually("the rules are copied", || files(rules.path()).into_iter().next());
        assert_eq!(mode(&copied), 0o640, "umask {umask}: {}", copied.display());
    }
}
