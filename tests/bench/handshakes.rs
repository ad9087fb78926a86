//! The load generator for handshakes of TLS 1.3: each connection is new, and ends once it is open or has its response.
//!
//!     bench-handshakes ADDRESS CERTIFICATE full|resumed|request classical|hybrid SECONDS
//!
//! It prints one line: connections, failures, those that resumed a session, the rate, p50 and p99 in microseconds, and the last group.

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, NamedGroup, StreamOwned};
use s3cors_proxy::config::PostQuantum;
use s3cors_proxy::tls::{client::trusting_only, settle};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The connections that are opened at the same time.
const CONNECTIONS: usize = 16;
const LIMIT: Duration = Duration::from_secs(10);
const REQUEST: &[u8] =
    b"GET /bench/1k HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://app.example.com\r\nConnection: close\r\n\r\n";

#[derive(Default)]
struct Opened {
    times: Vec<u64>,
    failed: usize,
    resumed: usize,
    group: Option<NamedGroup>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's result and usage")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, certificate, kind, group, seconds] = arguments.as_slice() else {
        eprintln!("usage: bench-handshakes ADDRESS CERTIFICATE full|resumed|request classical|hybrid SECONDS");
        std::process::exit(2);
    };
    let _ = settle(if group == "hybrid" { PostQuantum::On } else { PostQuantum::Off });
    let mut config = trusting_only(Path::new(certificate))?;
    if kind != "resumed" {
        config.resumption = Resumption::disabled();
    }
    let (config, address, has_request) = (Arc::new(config), address.parse()?, kind == "request");
    let (began, whole) = (Instant::now(), Duration::from_secs(seconds.parse()?));
    let all: Vec<_> = std::thread::scope(|scope| {
        let open = || open(&config, address, has_request, began + whole);
        let started: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(open)).collect();
        started.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let elapsed = began.elapsed().as_secs_f64();
    let mut times: Vec<_> = all.iter().flat_map(|opened| opened.times.iter().copied()).collect();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let (failed, resumed) = all.iter().fold((0, 0), |(f, r), opened| (f + opened.failed, r + opened.resumed));
    let group = all.iter().find_map(|opened| opened.group).map_or("none".into(), |group| format!("{group:?}"));
    let (count, rate) = (times.len(), times.len() as f64 / elapsed);
    println!("result {count} {failed} {resumed} {rate:.1} {} {} {group}", at(50), at(99));
    Ok(())
}

/// Opens one connection after the other.
fn open(config: &Arc<ClientConfig>, address: SocketAddr, has_request: bool, until: Instant) -> Opened {
    let mut opened = Opened::default();
    while Instant::now() < until {
        let began = Instant::now();
        match once(config, address, has_request) {
            Ok((is_resumed, group)) => {
                opened.times.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                opened.resumed += usize::from(is_resumed);
                opened.group = group;
            }
            Err(_) => opened.failed += 1,
        }
    }
    opened
}

fn once(
    config: &Arc<ClientConfig>,
    address: SocketAddr,
    has_request: bool,
) -> Result<(bool, Option<NamedGroup>), Box<dyn Error>> {
    let tcp = TcpStream::connect_timeout(&address, LIMIT)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(LIMIT))?;
    let tls = ClientConnection::new(Arc::clone(config), ServerName::from(address.ip()))?;
    let mut stream = StreamOwned::new(tls, tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    if has_request {
        stream.write_all(REQUEST)?;
    } else {
        stream.conn.send_close_notify();
        while stream.conn.wants_write() {
            stream.conn.write_tls(&mut stream.sock)?;
        }
        stream.sock.shutdown(Shutdown::Write)?;
    }
    // Until the server has closed it: then it has done all its work, and its tickets are here. Some close without the alert.
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response);
    if has_request && !response.starts_with(b"HTTP/1.1 200") {
        return Err(read.err().map_or_else(|| "no response".into(), Into::into));
    }
    let group = stream.conn.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
    Ok((stream.conn.handshake_kind() == Some(HandshakeKind::Resumed), group))
}
