//! Renewal with real programs and a real server.

use super::context::context;
use super::sources::{CredentialSource, CredentialSources, LoadError};
use super::{CredentialsState, Renewal};
use crate::s3::read_signer::{LiveSigner, SignedTarget};
use crate::tls::client::trusting_system;
use reqsign_core::StaticEnv;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The longest wait for something that takes a second or two.
const LIMIT: Duration = Duration::from_secs(30);

/// An environment with these variables, and nothing of this machine.
fn env(home: &TempDir, variables: &[(&str, &str)]) -> StaticEnv {
    let none = [("AWS_EC2_METADATA_DISABLED", "true")];
    let all = none.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    StaticEnv { home_dir: Some(home.path().to_owned()), envs: all.collect() }
}

fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    files.iter().for_each(|(name, text)| fs::write(home.path().join(".aws").join(name), text).unwrap());
    home
}

/// A home with a `credential_process`, which counts its runs in `n` and prints with `keys LIFE`.
fn home_of_process(script: &str) -> TempDir {
    let home = home(&[]);
    let path = home.path().join("process.sh");
    let script = format!(
        "cd {home} && n=$(( $(cat runs 2>/dev/null || echo 0) + 1 )) && echo $n > runs.new && mv runs.new runs\n\
         keys() {{ printf '{{\"Version\": 1, \"AccessKeyId\": \"KEY%s\", \"SecretAccessKey\": \"5ECRET\", \"SessionToken\": \"t\", \
         \"Expiration\": \"%s\"}}' $n $(date -u -d \"+$1 seconds\" +%FT%T.%NZ); }}\n{script}\n",
        home = home.path().display()
    );
    fs::write(&path, script).unwrap();
    fs::write(home.path().join(".aws/config"), format!("[default]\ncredential_process = sh '{}'\n", path.display()))
        .unwrap();
    home
}

fn runs(home: &TempDir) -> u32 {
    fs::read_to_string(home.path().join("runs")).map_or(0, |text| text.trim().parse().unwrap())
}

struct Followed {
    live: Arc<LiveSigner>,
    state: Arc<CredentialsState>,
}

impl Followed {
    fn key(&self) -> Option<String> {
        self.live.get(SystemTime::now()).map(|signer| signer.access_key().to_owned())
    }

    async fn until(&self, what: &str, mut is_reached: impl FnMut(&Self) -> bool) {
        let waited = tokio::time::timeout(LIMIT, async {
            while !is_reached(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        assert!(waited.await.is_ok(), "{what}: {:?}", self.state.snapshot(SystemTime::now()));
    }
}

/// Follows the credentials of an environment while `look` runs.
async fn follow(env: StaticEnv, look: impl AsyncFnOnce(Followed)) {
    let live = Arc::<LiveSigner>::default();
    let renewal = Renewal::within(env, trusting_system().unwrap(), None, None, Arc::clone(&live));
    let followed = Followed { live, state: renewal.state() };
    tokio::select! {
        () = renewal.run(|| {}) => unreachable!("it never ends"),
        () = look(followed) => {}
    }
}

#[tokio::test]
async fn credentials_that_live_two_seconds_are_there_at_every_moment_of_ten_renewals() {
    let home = home_of_process("keys 2");
    follow(env(&home, &[]), async |followed| {
        followed.until("the first", |followed| followed.key().is_some()).await;
        followed
            .until("ten renewals", |followed| {
                let key = followed.key();
                assert!(key.is_some(), "{:?}", followed.state.snapshot(SystemTime::now()));
                key.as_deref() == Some("KEY11")
            })
            .await;
        assert!((11..=12).contains(&runs(&home)), "{} runs", runs(&home));
    })
    .await;
}

#[tokio::test]
async fn a_source_that_fails_at_first_is_asked_again() {
    let home = home_of_process("[ $n -gt 1 ] || { echo 'the vault is sealed' >&2; exit 3; }; keys 60");
    follow(env(&home, &[]), async |followed| {
        followed.until("the reason", |followed| followed.state.snapshot(SystemTime::now()).error.is_some()).await;
        let snapshot = followed.state.snapshot(SystemTime::now());
        assert_eq!((snapshot.is_available, snapshot.access_key), (false, None));
        let error = snapshot.error.unwrap();
        assert!(error.starts_with("credential_process: ") && error.contains("the vault is sealed"), "{error}");
        followed.until("the keys", |followed| followed.key().as_deref() == Some("KEY2")).await;
        let snapshot = followed.state.snapshot(SystemTime::now());
        assert_eq!((snapshot.is_available, snapshot.error), (true, None));
        assert_eq!(snapshot.source, Some(CredentialSource::Process));
        assert_eq!(snapshot.access_key.as_deref(), Some("KEY2"));
    })
    .await;
}

#[derive(Clone, Default)]
struct LogText(Arc<Mutex<Vec<u8>>>);

impl Write for LogText {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogText {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_renewed_serve_until_they_end() {
    let home = home_of_process("[ $n = 1 ] || { echo 'the vault is gone' >&2; exit 3; }; keys 2");
    let log = LogText::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    follow(env(&home, &[]), async |followed| {
        followed.until("the keys", |followed| followed.key().is_some()).await;
        let end = followed.live.get(SystemTime::now()).unwrap().end().unwrap();
        followed
            .until("the end", |followed| {
                let now = SystemTime::now();
                assert_eq!(followed.live.get(now).is_some(), now < end);
                assert_eq!(followed.state.snapshot(now).is_available, now < end);
                now >= end
            })
            .await;
        let snapshot = followed.state.snapshot(SystemTime::now());
        assert!(snapshot.error.is_some_and(|error| error.contains("the vault is gone")));
        assert_eq!((snapshot.end, snapshot.since), (Some(end), end));
        assert!(runs(&home) > 2, "it is asked until the end");
        followed.until("the last line", |_| log.text().contains("have expired")).await;
    })
    .await;
    let log = log.text();
    for line in
        ["INFO s3cors_proxy::credentials::renewal: AWS credentials found", "credentials not renewed", "have expired"]
    {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
    assert_eq!(log.matches("WARN").count(), 2, "{log}");
    assert!(log.contains("the vault is gone") && !log.contains("5ECRET"), "{log}");
}

#[tokio::test]
async fn a_container_s_server_is_asked_with_its_token() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/credentials", server.local_addr().unwrap());
    let serve = async {
        let (mut client, _) = server.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert!(client.read_buf(&mut request).await.unwrap() > 0);
        }
        let keys = r#"{"AccessKeyId": "KEY", "SecretAccessKey": "5ECRET", "Token": "session", "Expiration": "2099-01-01T00:00:00Z"}"#;
        let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{keys}", keys.len());
        client.write_all(response.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    };
    let home = home(&[]);
    let variables =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-pod")];
    follow(env(&home, &variables), async |followed| {
        let request = serve.await;
        assert!(request.starts_with("GET /v1/credentials HTTP/1.1\r\n"), "{request}");
        assert!(request.to_ascii_lowercase().contains("\r\nauthorization: of-the-pod\r\n"), "{request}");
        followed.until("the keys", |followed| followed.key().is_some()).await;
        let snapshot = followed.state.snapshot(SystemTime::now());
        assert_eq!(snapshot.source, Some(CredentialSource::Container));
        assert_eq!(snapshot.end, Some(humantime::parse_rfc3339("2099-01-01T00:00:00Z").unwrap()));
        let read = SignedTarget { method: "GET", authority: "s3.example.com", bucket: "bucket", raw_key: "key" };
        let (signer, mut lines) = (followed.live.get(SystemTime::now()).unwrap(), Vec::new());
        signer.sign(&read, SystemTime::now(), |piece| lines.extend_from_slice(piece));
        let lines = String::from_utf8(lines).unwrap();
        assert!(lines.contains("\r\nx-amz-security-token: session\r\n") && lines.contains("/us-east-1/s3/"), "{lines}");
    })
    .await;
}

#[tokio::test]
async fn a_start_does_not_wait_for_a_source_that_hangs() {
    let home = home_of_process("exec sleep 60");
    let renewal =
        Renewal::within(env(&home, &[]), trusting_system().unwrap(), None, None, Arc::<LiveSigner>::default());
    let (tried, was_tried) = tokio::sync::oneshot::channel();
    tokio::select! {
        () = renewal.run(|| tried.send(()).unwrap()) => unreachable!("it never ends"),
        told = tokio::time::timeout(LIMIT / 2, was_tried) => assert_eq!(told, Ok(Ok(()))),
    }
    assert_eq!(runs(&home), 1, "the same attempt goes on");
}

/// The source and the access key id that an environment has, or why it has none.
async fn load(
    home: &TempDir,
    variables: &[(&str, &str)],
    profile: Option<&str>,
) -> Result<(CredentialSource, String), LoadError> {
    let context = context(env(home, variables), trusting_system().unwrap());
    let loaded = CredentialSources::new(profile).load(&context).await?;
    Ok((loaded.origin, loaded.credential.access_key_id))
}

#[tokio::test]
async fn the_first_source_that_is_set_up_counts() {
    use CredentialSource::{Environment, Process, Profile};
    let in_environment = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let half = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "")];
    let nowhere = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")];
    let printed = r#"{"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "x"}"#;
    let home = home(&[
        ("credentials", "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n"),
        (
            "config",
            &format!(
                "[profile process]\ncredential_process = echo '{printed}'\n[profile false]\ncredential_process = false\n"
            ),
        ),
    ]);
    for (variables, profile, expected) in [
        (&in_environment[..], None, Ok((Environment, "ENV"))),
        (&half, None, Ok((Profile, "DEFAULT"))),
        (&[], None, Ok((Profile, "DEFAULT"))),
        (&in_environment, Some("default"), Ok((Profile, "DEFAULT"))),
        (&[("AWS_PROFILE", "process")], None, Ok((Process, "PROCESS"))),
        (&in_environment, Some("process"), Ok((Process, "PROCESS"))),
        (&nowhere, Some("absent"), Err("the profile \"absent\" has no keys")),
        (&[("AWS_PROFILE", "absent")], None, Err("no source has credentials: environment, profile, ")),
        (&[("AWS_PROFILE", "false"), nowhere[0]], None, Err("credential_process: ")),
        (&[("AWS_PROFILE", "absent"), nowhere[0]], None, Err("container: failed to fetch ECS credentials")),
    ] {
        let loaded = load(&home, variables, profile).await.map_err(|error| error.to_string());
        match expected {
            Ok((origin, key)) => assert_eq!(loaded, Ok((origin, key.to_owned())), "{variables:?} {profile:?}"),
            Err(reason) => {
                assert!(loaded.clone().is_err_and(|said| said.contains(reason)), "{variables:?}: {loaded:?}");
            }
        }
    }
}

#[tokio::test]
async fn each_load_reads_anew() {
    let home = home(&[]);
    let path = home.path().join(".aws/credentials");
    let write = |path: &Path, key| {
        fs::write(path, format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = x\n")).unwrap();
    };
    let context = context(env(&home, &[]), trusting_system().unwrap());
    let sources = CredentialSources::new(None);
    for key in ["OLD", "NEW"] {
        write(&path, key);
        assert_eq!(sources.load(&context).await.unwrap().credential.access_key_id, key);
    }
}
