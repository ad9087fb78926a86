//! The key exchange of TLS: with which group, for which key of a certificate, and what no group accepts.

use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::tls::{Authority, TlsConnection, tls_server};
use crate::support::upstream::Upstream;
use rcgen::KeyPair;
use rustls::NamedGroup::{self, X25519, X25519MLKEM768, secp256r1, secp384r1};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::version::{TLS12, TLS13};
use std::io::{Read, Write};
use std::sync::{Arc, mpsc};

const NAME: &str = "s3.example.test";
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const KEY_SHARE: u16 = 51;
/// The lengths of the shares of X25519MLKEM768: a client's key for ML-KEM, and one for X25519.
const ML_KEM: usize = 1184;
const CURVE: usize = 32;

struct Served {
    proxy: Proxy,
    authority: Authority,
    /// True if the processor can run graviola: only then is there a hybrid group.
    has_hybrid: bool,
    _kept: (Rules, Upstream),
}

/// A proxy with TLS and these settings. The certificate is for this key.
fn serving(settings: &str, key: &KeyPair) -> Served {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue_for(NAME, key));
    let listen = authority.listener();
    let file = ConfigFile::new(&format!("{settings}\nlisten: {listen}\nadmin: 127.0.0.1:0\ndomains: {NAME}\n"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
    let mut proxy = Proxy::spawn(command);
    let has_hybrid = has_hybrid(&mut proxy);
    Served { proxy, authority, has_hybrid, _kept: (rules, upstream) }
}

/// Reads it from the log.
fn has_hybrid(proxy: &mut Proxy) -> bool {
    let line = proxy.wait_for_log("TLS is set up");
    let (library, missing) = (line["library"].as_str().unwrap(), line["missing"].as_str());
    assert_eq!(missing.is_some(), library == "ring", "{line}");
    assert!(["graviola", "ring"].contains(&library), "{line}");
    library == "graviola"
}

fn usual_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// The first message of a client of TLS 1.3 that can do these groups and sends this share for one of them.
fn client_hello(groups: &[NamedGroup], (group, share): (NamedGroup, &[u8])) -> Vec<u8> {
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let extension = |kind: u16, content: &[u8]| [&kind.to_be_bytes(), &length(content.len())[..], content].concat();
    let of_two: Vec<u8> = groups.iter().flat_map(|group| u16::from(*group).to_be_bytes()).collect();
    let entry = [&u16::from(group).to_be_bytes(), &length(share.len())[..], share].concat();
    let extensions = [
        extension(43, &[2, 3, 4]),
        extension(10, &[&length(of_two.len())[..], &of_two].concat()),
        extension(13, &[0, 4, 4, 3, 8, 4]),
        extension(KEY_SHARE, &[&length(entry.len())[..], &entry].concat()),
    ]
    .concat();
    let hello =
        [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 1], &[1, 0], &length(extensions.len()), &extensions].concat();
    let message = [&[1, 0][..], &length(hello.len()), &hello].concat();
    [&[HANDSHAKE, 3, 1][..], &length(message.len()), &message].concat()
}

/// The first record of the reply: its type and content.
fn reply(proxy: &Proxy, hello: &[u8]) -> (u8, Vec<u8>) {
    let mut stream = std::net::TcpStream::connect(proxy.address).unwrap();
    stream.set_read_timeout(Some(crate::support::DEADLINE)).unwrap();
    stream.write_all(hello).unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    let mut content = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut content).unwrap();
    (head[0], content)
}

/// The group that the server has chosen, in its hello or by asking for another share (RFC 8446 §4.2.8).
fn chosen(proxy: &Proxy, groups: &[NamedGroup]) -> NamedGroup {
    // A point of X25519 that is valid: the generator.
    let mut share = [0; CURVE];
    share[0] = 9;
    let (kind, content) = reply(proxy, &client_hello(groups, (X25519, &share)));
    assert_eq!((kind, content[0]), (HANDSHAKE, 2), "{content:?}");
    let two = |at: usize| u16::from_be_bytes([content[at], content[at + 1]]);
    // Message and length, version, random, session, cipher suite, compression, length of the extensions.
    let mut at = 4 + 2 + 32 + 1 + usize::from(content[38]) + 2 + 1 + 2;
    while two(at) != KEY_SHARE {
        at += 4 + usize::from(two(at + 2));
    }
    NamedGroup::from(two(at + 4))
}

#[test]
fn the_hybrid_group_is_chosen_by_clients_that_prefer_it_unless_it_is_off() {
    for (settings, is_on) in [("", true), ("tls: {post_quantum: on}", true), ("tls: {post_quantum: off}", false)] {
        let served = serving(settings, &usual_key());
        let line = served.proxy.log().into_iter().find(|line| line["message"] == "TLS is set up").unwrap();
        let groups = line["groups"].as_str().unwrap().to_owned();
        let hybrid = is_on && served.has_hybrid;
        assert_eq!(groups.starts_with("[X25519MLKEM768, X25519, "), hybrid, "{settings}: {line}");
        assert_eq!(line["post_quantum"], hybrid, "{settings}: {line}");
        for (offered, expected) in [
            (&[X25519MLKEM768, X25519][..], if hybrid { X25519MLKEM768 } else { X25519 }),
            (&[X25519], X25519),
            // No one has this one alone (MLKEM1024), and a GREASE value means nothing (RFC 8701).
            (&[NamedGroup::Unknown(0x0a0a), NamedGroup::MLKEM1024, X25519], X25519),
        ] {
            assert_eq!(chosen(&served.proxy, offered), expected, "{settings}: {offered:?}");
        }
    }
}

#[test]
fn a_share_that_is_none_is_refused_and_harms_no_one_else() {
    let served = serving("", &usual_key());
    let curve = [9; CURVE];
    let with = |first: u8, length: usize, point: &[u8]| [&vec![first; length], point].concat();
    for (what, group, share) in [
        ("coefficients that are too large", X25519MLKEM768, with(0xff, ML_KEM, &curve)),
        ("a point of low order", X25519MLKEM768, with(0, ML_KEM, &[0; CURVE])),
        ("one byte less", X25519MLKEM768, with(0, ML_KEM - 1, &curve)),
        ("one byte more", X25519MLKEM768, with(0, ML_KEM + 1, &curve)),
        ("no byte", X25519MLKEM768, Vec::new()),
        ("the classical share alone", X25519MLKEM768, curve.to_vec()),
        ("a point of low order", X25519, vec![0; CURVE]),
        ("one byte less", X25519, vec![9; CURVE - 1]),
        ("a point that is on no curve", secp256r1, [&[4][..], &[7; 64]].concat()),
        ("a point that is on no curve", secp384r1, [&[4][..], &[7; 96]].concat()),
    ] {
        if group == X25519MLKEM768 && !served.has_hybrid {
            continue;
        }
        let (kind, content) = reply(&served.proxy, &client_hello(&[group], (group, &share)));
        // An alert that ends the connection (RFC 8446 §6.2).
        assert_eq!((kind, content[0]), (ALERT, 2), "{group:?}, {what}: {content:?}");
    }
    assert_eq!(served.authority.connect(served.proxy.address).get("/bucket/key"), 200);
}

/// An RSA key, which takes a moment to find.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn rsa_key() -> Option<KeyPair> {
    use graviola::signing::rsa::{KeySize, SigningKey};
    if !graviola::util::is_cpu_supported() {
        return None;
    }
    let mut buffer = [0; 2048];
    let der = SigningKey::generate(KeySize::Rsa2048).unwrap().to_pkcs8_der(&mut buffer).unwrap().to_vec();
    Some(KeyPair::try_from(&PrivatePkcs8KeyDer::from(der)).unwrap())
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn rsa_key() -> Option<KeyPair> {
    None
}

#[test]
fn every_kind_of_key_signs_in_every_version_with_every_group() {
    let keys = [
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).ok(),
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).ok(),
        KeyPair::generate_for(&rcgen::PKCS_ED25519).ok(),
        rsa_key(),
    ];
    for key in keys.into_iter().flatten() {
        let kind = format!("{:?}", key.algorithm());
        let served = serving("", &key);
        for group in classical().into_iter().chain(hybrid(served.has_hybrid)) {
            for version in [&TLS12, &TLS13] {
                if group.name() == X25519MLKEM768 && version == &TLS12 {
                    continue;
                }
                let client = served.authority.client_by(with(vec![group]), &[version]);
                let mut connection = TlsConnection::of(&Arc::new(client), served.proxy.address);
                assert_eq!(connection.get("/bucket/key"), 200, "{kind}, {version:?}, {group:?}");
                assert_eq!(connection.group(), Some(group.name()), "{kind}, {version:?}");
            }
        }
    }
}

#[test]
fn upstreams_are_offered_the_hybrid_group_first_unless_it_is_off() {
    if !is_own() {
        return;
    }
    for (settings, is_on) in [("", true), ("tls: {post_quantum: off}", false)] {
        let (authority, rules) = (Authority::new(), Rules::usual());
        let (agreed, heard) = mpsc::channel();
        let agreed = std::sync::Mutex::new(agreed);
        let address = tls_server(&authority.issue("127.0.0.1"), move |mut stream| {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if !matches!(stream.read(&mut byte), Ok(1)) {
                    return;
                }
                head.push(byte[0]);
            }
            let group = stream.conn.negotiated_key_exchange_group().map(SupportedKxGroup::name);
            agreed.lock().unwrap().send(group).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let tls = format!("upstream: {{tls: {{ca_file: '{}'}}}}", authority.file());
        let config = ConfigFile::new(&format!("{settings}\n{tls}\n"));
        let mut proxy =
            Proxy::start_with(rules.path(), &format!("https://{address}"), &["--config", &config.argument()]);
        let hybrid = has_hybrid(&mut proxy) && is_on;
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
        assert_eq!(heard.recv().unwrap(), Some(if hybrid { X25519MLKEM768 } else { X25519 }), "{settings}");
    }
}

#[test]
fn a_process_without_tls_says_nothing_about_it() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let mut proxy = Proxy::start(rules.path(), upstream.address);
    proxy.wait_for_log("s3cors is ready");
    assert!(!proxy.log().iter().any(|line| line["message"] == "TLS is set up"));
}

fn classical() -> Vec<&'static dyn SupportedKxGroup> {
    ring::default_provider().kx_groups
}

/// A client's provider for these groups.
fn with(groups: Vec<&'static dyn SupportedKxGroup>) -> CryptoProvider {
    CryptoProvider { kx_groups: groups, ..ring::default_provider() }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn hybrid(is_there: bool) -> Option<&'static dyn SupportedKxGroup> {
    is_there.then_some(rustls_graviola::kx::X25519MLKEM768)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn hybrid(_: bool) -> Option<&'static dyn SupportedKxGroup> {
    None
}
