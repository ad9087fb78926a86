//! TLS sessions that clients resume: without a signature, and without a look at the certificate.

use crate::support::eventually;
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::{Authority, TlsConnection};
use crate::support::upstream::Upstream;
use rustls::client::{Resumption, Tls12Resumption};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::sync::Arc;

const NAME: &str = "s3.example.test";

/// A way to resume.
type Way = (&'static SupportedProtocolVersion, Tls12Resumption);

/// With a ticket.
const TICKETS: [Way; 2] = [(&TLS13, Tls12Resumption::Disabled), (&TLS12, Tls12Resumption::SessionIdOrTickets)];
/// With a session that the server kept.
const KEPT: Way = (&TLS12, Tls12Resumption::SessionIdOnly);

fn every_way() -> impl Iterator<Item = Way> {
    TICKETS.into_iter().chain([KEPT])
}

/// A proxy with several listeners, and threads, that show one certificate.
fn serving(authority: &Authority, listeners: usize) -> (Proxy, Vec<SocketAddr>, Rules, Upstream) {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let listen: String = (0..listeners).map(|_| format!("\n- {}", authority.listener())).collect();
    let file = ConfigFile::new(&format!("listen:{listen}\nadmin: 127.0.0.1:0\ndomains: {NAME}\nthreads: 4\n"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
    let mut proxy = Proxy::spawn(command);
    let ready = proxy.wait_for_log("s3cors is ready");
    let addresses = ready["listen"].as_str().unwrap().trim_matches(['[', ']']).split(", ");
    (proxy, addresses.map(|address| address.parse().unwrap()).collect(), rules, upstream)
}

/// A client that has no session yet.
fn client(authority: &Authority, (version, tls12): Way) -> Arc<ClientConfig> {
    let mut client = authority.client(&[version]);
    client.resumption = Resumption::in_memory_sessions(8).tls12_resumption(tls12);
    Arc::new(client)
}

/// Connects, sends a request, and tells whether a session was resumed. The response comes after the tickets of TLS 1.3.
fn is_resumed(client: &Arc<ClientConfig>, address: SocketAddr) -> bool {
    let mut connection = TlsConnection::of(client, address);
    assert_eq!(connection.get("/bucket/key"), 200);
    connection.is_resumed()
}

#[test]
fn a_client_resumes_its_session_on_whichever_thread_and_listener() {
    let authority = Authority::new();
    authority.install(&authority.issue(NAME));
    let (_proxy, addresses, ..) = serving(&authority, 2);
    for way in every_way() {
        let client = client(&authority, way);
        assert!(!is_resumed(&client, addresses[0]), "{way:?}: the first has no session");
        for round in 0..8 {
            assert!(is_resumed(&client, addresses[round % 2]), "{way:?}, {round}");
        }
    }
}

#[test]
fn a_ticket_is_good_however_many_clients_came_since() {
    let authority = Authority::new();
    authority.install(&authority.issue(NAME));
    let (_proxy, addresses, ..) = serving(&authority, 1);
    for way in TICKETS {
        let first = client(&authority, way);
        assert!(!is_resumed(&first, addresses[0]));
        for _ in 0..300 {
            assert!(!is_resumed(&client(&authority, way), addresses[0]));
        }
        assert!(is_resumed(&first, addresses[0]), "{way:?}");
    }
}

#[test]
fn a_replaced_certificate_is_seen_by_clients_that_have_a_session_too() {
    let authority = Authority::new();
    authority.install(&authority.issue(NAME));
    let (proxy, addresses, ..) = serving(&authority, 1);
    let clients: Vec<_> = every_way().map(|way| client(&authority, way)).collect();
    for client in &clients {
        assert!(!is_resumed(client, addresses[0]));
        assert!(is_resumed(client, addresses[0]));
    }
    let second = authority.issue(NAME);
    authority.install(&second);
    eventually("the new certificate is live", || {
        proxy.log().iter().any(|line| line["message"] == "certificate replaced").then_some(())
    });
    for client in &clients {
        let mut connection = TlsConnection::of(client, addresses[0]);
        assert_eq!((connection.get("/bucket/key"), connection.is_resumed()), (200, false));
        assert_eq!(connection.certificate(), second.der);
        assert!(is_resumed(client, addresses[0]), "with the new one, sessions begin anew");
    }
}
