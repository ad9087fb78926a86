//! The proxy over every protocol at once.

use super::process::{ConfigFile, s3cors};
use super::proxy::Proxy;
use super::rules::{RULES, Rules};
use super::signed::Client;
use super::store::{self, Store};
use super::tls::Authority;
use std::net::SocketAddr;

/// How a client and the proxy speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http1OverTls,
    Http2OverTls,
    Http2,
}

impl Protocol {
    pub const ALL: [Self; 4] = [Self::Http1, Self::Http1OverTls, Self::Http2OverTls, Self::Http2];

    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Http1OverTls | Self::Http2OverTls)
    }

    pub const fn is_http2(self) -> bool {
        matches!(self, Self::Http2OverTls | Self::Http2)
    }
}

/// A proxy with a listener for each protocol.
pub struct Proxied {
    _rules: Rules,
    pub proxy: Proxy,
    pub authority: Authority,
    addresses: Vec<SocketAddr>,
}

impl Proxied {
    pub fn before(upstream: SocketAddr) -> Self {
        let (rules, authority) = (Rules::empty(), Authority::new());
        rules.write("_default.xml", RULES);
        authority.install(&authority.issue("127.0.0.1"));
        let (plain, tls) = ("127.0.0.1:0", authority.listener());
        let only_http1 = tls.replace("tls:", "http2: false, tls:");
        let listen = format!("[{plain}, {only_http1}, {tls}, {{address: '{plain}', http2: true}}]");
        let file = ConfigFile::new(&format!("listen: {listen}\nadmin: {plain}\n"));
        let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{upstream}")]);
        let mut proxy = Proxy::spawn(command);
        let ready = proxy.wait_for_log("s3cors is ready");
        let listen = ready["listen"].as_str().unwrap().trim_matches(['[', ']']).split(", ");
        let addresses = listen.map(|address| address.parse().unwrap()).collect();
        Self { _rules: rules, proxy, authority, addresses }
    }

    /// The same before a store with the bucket `bucket`.
    pub async fn before_a_store() -> (Self, Store) {
        let store = Store::start();
        store::client(store.address).create_bucket().bucket("bucket").send().await.unwrap();
        (Self::before(store.address), store)
    }

    pub fn address(&self, protocol: Protocol) -> SocketAddr {
        self.addresses[Protocol::ALL.iter().position(|one| *one == protocol).unwrap()]
    }

    pub async fn client(&self, protocol: Protocol) -> Client {
        Client::connect(protocol, self.address(protocol), &self.authority).await
    }
}
