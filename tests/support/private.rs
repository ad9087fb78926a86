//! A private bucket, the proxy that reads it for holders of a grant, and tokens of those who have its key.

use super::process::{ConfigFile, s3cors};
use super::proxy::Proxy;
use super::rules::{Rules, allowing};
use super::store::{ACCESS_KEY, SECRET_KEY, Store, client};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub const APP: &str = "https://app.example";
pub const HOST: &str = "s3.example.test";
pub const GRANTED: &str = "sign: {bucket: media, prefix: video/, when: granted}";
/// Each object of the store has its own path as content, so that nothing is read unnoticed.
const OBJECTS: [&str; 8] = [
    "/media/video/7/master.m3u8",
    "/media/video/7/1.m4s",
    "/media/video/7/hd/list.m3u8",
    "/media/video/7/hd/2.m4s",
    "/media/video/8/1.m4s",
    "/media/list.m3u8",
    "/media/other.txt",
    "/mail/video/7/1.m4s",
];

/// A proxy that has the keys of a store.
pub fn serve(upstream: SocketAddr, rules: &Rules, settings: &str) -> Proxy {
    let file = ConfigFile::new(&format!("listen: {{address: '127.0.0.1:0', http2: true}}\n{settings}\n"));
    let mut command = s3cors(&["serve", "--admin", "127.0.0.1:0", "--domain", HOST, "--config", &file.argument()]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    command.envs([("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")]);
    command.args(["--upstream", &format!("http://{upstream}"), "--rules"]).arg(rules.path());
    Proxy::spawn(command)
}

pub fn rules() -> Rules {
    let rules = Rules::empty();
    rules.write("media.xml", allowing(APP));
    rules
}

/// A private store, and a proxy that may read all of it.
pub struct Media {
    pub store: Store,
    pub rules: Rules,
    pub proxy: Proxy,
}

impl Media {
    pub async fn start(settings: &str) -> Self {
        let (store, rules) = (Store::start(), rules());
        let direct = client(store.address);
        for bucket in ["media", "mail"] {
            direct.create_bucket().bucket(bucket).send().await.unwrap();
        }
        for path in OBJECTS {
            let (bucket, key) = path[1..].split_once('/').unwrap();
            direct.put_object().bucket(bucket).key(key).body(path.as_bytes().to_vec().into()).send().await.unwrap();
        }
        let proxy = serve(store.address, &rules, settings);
        Self { store, rules, proxy }
    }

    /// The requests that the store has had.
    pub fn requests(&self) -> usize {
        self.store.asked_since(0).len()
    }
}

/// A key for grants that is like no other.
pub fn key(first: u8) -> [u8; 32] {
    std::array::from_fn(|at| first.wrapping_add(at as u8))
}

/// A file with these keys, which goes when the test does.
pub struct KeyFile(TempDir);

impl KeyFile {
    pub fn new(keys: &[u8]) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        file.write(keys);
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    /// Replaces the file as a whole, as those do who rotate keys.
    pub fn write(&self, keys: &[u8]) {
        let line = |first: &u8| key(*first).map(|byte| format!("{byte:02x}")).concat();
        let next = self.0.path().join("next");
        std::fs::write(&next, keys.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
        std::fs::set_permissions(&next, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(next, self.path()).unwrap();
    }

    /// The settings of a private bucket with these keys.
    pub fn settings(&self) -> String {
        format!("{GRANTED}\ngrants: {{key_file: '{}'}}", self.path().display())
    }
}

/// A token as the program makes it, by someone who has the key.
pub fn token(key: &[u8; 32], bucket: &str, folder: &str, depth: u8, until: SystemTime) -> String {
    let id = digest::digest(&digest::SHA256, &[b"s3cors grant key id v1\0", &key[..]].concat());
    let seconds = u32::try_from(until.duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let head = [&id.as_ref()[..4], &seconds.to_be_bytes(), &[depth]].concat();
    let text = |text: &str| [&(text.len() as u64).to_be_bytes(), text.as_bytes()].concat();
    let signed = [b"s3cors grant v1\0", &*head, &text(bucket), &text(folder)].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &signed);
    URL_SAFE_NO_PAD.encode([&head, tag.as_ref()].concat())
}
