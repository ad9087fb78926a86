//! Certificates, a client that looks at them, and an upstream that shows them.

use super::DEADLINE;
use super::upstream::Upstream;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig};
use rustls::{ServerConnection, StreamOwned, SupportedProtocolVersion};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// An authority, and a directory for its files.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Issued {
    pub certificate: String,
    pub key: String,
    pub der: CertificateDer<'static>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A certificate's issuer and subject of the same name are one to OpenSSL.
        params.distinguished_name.push(DnType::CommonName, "authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    /// The file with the authority's own certificate.
    pub fn file(&self) -> String {
        self.path("ca.pem").into_os_string().into_string().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn issue(&self, name: &str) -> Issued {
        self.issue_with(name, |_| {})
    }

    /// A certificate that is valid until a year begins.
    pub fn issue_until(&self, name: &str, year: i32) -> Issued {
        self.issue_with(name, |params| params.not_after = rcgen::date_time_ymd(year, 1, 1))
    }

    /// The same with other properties.
    pub fn issue_with(&self, name: &str, alter: impl FnOnce(&mut CertificateParams)) -> Issued {
        self.issued(name, &KeyPair::generate().unwrap(), alter)
    }

    /// The same for a key of another kind.
    pub fn issue_for(&self, name: &str, key: &KeyPair) -> Issued {
        self.issued(name, key, |_| {})
    }

    fn issued(&self, name: &str, key: &KeyPair, alter: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        alter(&mut params);
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        Issued { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// Writes a certificate for `ca_file`.
    pub fn name(&self, issued: &Issued) -> String {
        let path = self.path("named.pem");
        std::fs::write(&path, &issued.certificate).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// Writes the pair that a listener is configured with by [`Self::listener`].
    pub fn install(&self, issued: &Issued) {
        std::fs::write(self.path("tls.crt"), &issued.certificate).unwrap();
        std::fs::write(self.path("tls.key"), &issued.key).unwrap();
    }

    /// A listener with TLS, as the configuration has it.
    pub fn listener(&self) -> String {
        let (certificate, key) = (self.path("tls.crt"), self.path("tls.key"));
        format!(
            "{{address: '127.0.0.1:0', tls: {{certificate: '{}', key: '{}'}}}}",
            certificate.display(),
            key.display()
        )
    }

    /// What curl needs to reach `s3.example.test` at this address.
    pub fn curl(&self, address: SocketAddr) -> Vec<String> {
        let resolve = format!("s3.example.test:{}:127.0.0.1", address.port());
        vec!["--cacert".into(), self.file(), "--resolve".into(), resolve]
    }

    /// How a client trusts this authority and no other.
    pub fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        self.client_by(rustls::crypto::ring::default_provider(), versions)
    }

    /// The same with other cryptography.
    pub fn client_by(&self, provider: CryptoProvider, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// A connection to this address, over HTTP/1.1 and any version of TLS.
    pub fn connect(&self, address: SocketAddr) -> TlsConnection {
        self.connect_with(address, rustls::ALL_VERSIONS)
    }

    /// The same with these versions only.
    pub fn connect_with(&self, address: SocketAddr, versions: &[&'static SupportedProtocolVersion]) -> TlsConnection {
        TlsConnection::of(&Arc::new(self.client(versions)), address)
    }
}

impl Issued {
    /// A certificate as `openssl req -x509` makes it: it certifies itself, and says that it is an authority.
    pub fn by_itself(name: &str, alter: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        alter(&mut params);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }
}

/// A connection that stays open from one request to the next.
pub struct TlsConnection {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl TlsConnection {
    /// A connection of this client, which keeps what it needs to resume its session.
    pub fn of(client: &Arc<ClientConfig>, address: SocketAddr) -> Self {
        let name = ServerName::try_from("s3.example.test").unwrap();
        let tls = ClientConnection::new(Arc::clone(client), name).unwrap();
        let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { stream: BufReader::new(StreamOwned::new(tls, stream)) }
    }

    /// Asks for a path and gives the status.
    pub fn get(&mut self, path: &str) -> u16 {
        let request = format!("GET {path} HTTP/1.1\r\nHost: s3.example.test\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "closed");
            let line = line.trim_end().to_ascii_lowercase();
            status = status.or_else(|| line.split(' ').nth(1).map(|code| code.parse().unwrap()));
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        self.stream.read_exact(&mut vec![0; length]).unwrap();
        status.unwrap()
    }

    /// The version of TLS that was agreed on.
    pub fn version(&self) -> ProtocolVersion {
        self.stream.get_ref().conn.protocol_version().unwrap()
    }

    /// The group of the key exchange.
    pub fn group(&self) -> Option<NamedGroup> {
        self.stream.get_ref().conn.negotiated_key_exchange_group().map(SupportedKxGroup::name)
    }

    /// Whether the session of an earlier connection was resumed.
    pub fn is_resumed(&self) -> bool {
        self.stream.get_ref().conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The certificate that was shown, by the handshake that was not resumed.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.stream.get_ref().conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// A server that shows this certificate and passes what it decrypts on to another that is plain.
pub fn tls_upstream(issued: &Issued, plain: &Upstream) -> SocketAddr {
    let plain = plain.address;
    tls_server(issued, move |stream| relay(stream, plain))
}

/// A server that shows this certificate and runs a script for each connection.
pub fn tls_server(
    issued: &Issued,
    script: impl Fn(StreamOwned<ServerConnection, TcpStream>) + Send + Sync + 'static,
) -> SocketAddr {
    let key = PrivateKeyDer::try_from(rcgen::KeyPair::from_pem(&issued.key).unwrap().serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(server_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.der.clone()], key)
        .unwrap();
    let (config, script) = (Arc::new(config), Arc::new(script));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let script = Arc::clone(&script);
            std::thread::spawn(move || script(StreamOwned::new(tls, stream)));
        }
    });
    address
}

/// The server's cryptography, with every group that this processor can do.
fn server_provider() -> CryptoProvider {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if graviola::util::is_cpu_supported() {
        return rustls_graviola::default_provider();
    }
    rustls::crypto::ring::default_provider()
}

/// Request heads without bodies, one answer each: what the tests of certificates need.
fn relay(client: StreamOwned<ServerConnection, TcpStream>, plain: SocketAddr) {
    let mut client = BufReader::new(client);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if !matches!(client.read_until(b'\n', &mut head), Ok(read) if read > 0) {
                return;
            }
        }
        let mut server = TcpStream::connect(plain).unwrap();
        server.write_all(&head).unwrap();
        server.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).unwrap();
        client.get_mut().write_all(&answer).unwrap();
    }
}
