//! Two real stores, and a proxy that has both behind it.

use super::http::Response;
use super::process::{ConfigFile, s3cors};
use super::proxy::Proxy;
use super::relay::Relay;
use super::rules::{Rules, allowing};
use super::signer::Signer;
use super::store::{ACCESS_KEY, SECRET_KEY, Store, client};
use aws_sdk_s3::Client;

pub const PAGE: &str = "https://app.example";

/// Two stores, each behind a wire that can be cut, and the proxy in front of both.
pub struct TwoStores {
    pub new: Store,
    pub old: Store,
    pub new_wire: Relay,
    pub old_wire: Relay,
    _rules: Rules,
    pub proxy: Proxy,
}

impl TwoStores {
    /// Starts a proxy with these settings, in which `NEW` and `OLD` are the addresses of the stores. Every bucket's rules allow [`PAGE`] to GET.
    pub fn start(settings: &str) -> Self {
        let (new, old, rules) = (Store::start(), Store::start(), Rules::empty());
        rules.write("_default.xml", allowing(PAGE));
        let (new_wire, old_wire) = (Relay::to(new.address), Relay::to(old.address));
        let settings =
            settings.replace("NEW", &new_wire.address.to_string()).replace("OLD", &old_wire.address.to_string());
        let file = ConfigFile::new(&format!("listen: {{address: '127.0.0.1:0', http2: true}}\n{settings}\n"));
        let mut command = s3cors(&["serve", "--admin", "127.0.0.1:0", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path());
        command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
        let proxy = Proxy::spawn(command);
        Self { new, old, new_wire, old_wire, _rules: rules, proxy }
    }

    /// The SDK at the proxy, at the new store and at the old one.
    pub fn clients(&self) -> [Client; 3] {
        [self.proxy.address, self.new.address, self.old.address].map(client)
    }

    /// Makes a bucket at both stores.
    pub async fn bucket(&self, name: &str) {
        let [_, new, old] = self.clients();
        for store in [new, old] {
            store.create_bucket().bucket(name).send().await.unwrap();
        }
    }

    /// The response to a reader without keys, for a presigned URL of this path.
    pub fn presigned(&self, method: &str, path: &str) -> Response {
        let host = self.proxy.address.to_string();
        let target = Signer::new(method, &host).presigned(path);
        self.proxy.fetch(method, &target, &[("Host", &host), ("Origin", PAGE)])
    }

    /// The number of requests that each store has had.
    pub fn marks(&self) -> (usize, usize) {
        (self.new.asked_since(0).len(), self.old.asked_since(0).len())
    }

    /// The requests that each store has had since then.
    pub fn lines_since(&self, (new, old): (usize, usize)) -> (Vec<String>, Vec<String>) {
        let lines = |store: &Store, mark| store.asked_since(mark).into_iter().map(|asked| asked.line).collect();
        (lines(&self.new, new), lines(&self.old, old))
    }
}

pub async fn put(client: &Client, bucket: &str, key: &str, body: &str) {
    client.put_object().bucket(bucket).key(key).body(body.as_bytes().to_vec().into()).send().await.unwrap();
}

/// The content of an object, or the code of the error.
pub async fn get(client: &Client, bucket: &str, key: &str) -> String {
    match client.get_object().bucket(bucket).key(key).send().await {
        Ok(found) => String::from_utf8(found.body.collect().await.unwrap().to_vec()).unwrap(),
        Err(error) => error.into_service_error().meta().code().unwrap_or("no code").to_owned(),
    }
}
