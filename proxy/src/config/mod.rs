//! Flags, environment and file become one checked [`Config`], before anything starts.
//!
//! Decides: which source wins (flags over environment over file over defaults) and what a valid setting is.
//! Must not know: what is built from it.

mod file;
mod flags;
mod listen;
#[cfg(test)]
mod schema;
mod tls;
mod upstream;
mod values;

pub use file::{ConfigFile, ConfigFileError};
pub use flags::Flags;
pub use listen::Listener;
pub use tls::{ServerName, TlsFiles, UpstreamTls};
pub use upstream::{Balance, CheckPath, UpstreamHost, UpstreamUrl};
pub use values::{CredentialsPolicy, LogFormat, LogLevel, Size, ValueError, VaryPolicy};

use crate::s3::domain::Domain;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that `s3cors serve` needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where S3 clients connect; at least one.
    pub listen: Vec<Listener>,
    /// Where operators connect.
    pub admin: SocketAddr,
    /// The S3 endpoints; at least one.
    pub upstreams: Vec<UpstreamUrl>,
    /// How requests are shared among their addresses.
    pub balance: Balance,
    /// Which `Host` they see.
    pub upstream_host: UpstreamHost,
    /// How their addresses are checked; `None`: not at all.
    pub health_check: Option<HealthCheck>,
    /// How their certificates are verified.
    pub upstream_tls: UpstreamTls,
    /// How long each step towards an upstream may take.
    pub timeouts: Timeouts,
    /// Idle connections to upstreams.
    pub keepalive: Keepalive,
    /// The domains below which a label is a bucket (virtual-host style).
    pub domains: Vec<Domain>,
    /// Where the rules are.
    pub rules: Rules,
    /// How CORS is answered where S3's own way can be bettered.
    pub cors: Cors,
    /// What a client may take.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
    /// How the process ends.
    pub shutdown: Shutdown,
    /// Worker threads of the proxy.
    pub threads: usize,
    /// How many rejected origins the metrics name, at most.
    pub rejected_origins: usize,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To open a TCP connection to an upstream.
    pub connect: Duration,
    /// Between two reads from an upstream: also the time until its answer begins.
    pub read: Duration,
    /// Between two writes to an upstream.
    pub write: Duration,
}

impl Default for Timeouts {
    /// The upstream's read timeout is longer than the client's, because it goes on while a slow client uploads, and would blame
    /// the upstream; and it is minutes, because CompleteMultipartUpload may be silent that long.
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), read: Duration::from_secs(300), write: Duration::from_secs(60) }
    }
}

/// What a client may take: of time, of memory, of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a request's whole head, from its first byte; on a new connection from its opening.
    pub header_read: Duration,
    /// For a request's head, in bytes.
    pub header_size: Size,
    /// Between two requests on a connection.
    pub idle: Duration,
    /// Between two reads of a request's body.
    pub body_read: Duration,
    /// Until the client takes the next bytes of an answer.
    pub body_write: Duration,
    /// Connections at the same time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(30),
            header_size: Size(64 * 1024),
            idle: Duration::from_secs(75),
            body_read: Duration::from_secs(60),
            body_write: Duration::from_secs(60),
            connections: 10_000,
        }
    }
}

/// Idle connections to upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// How many are kept.
    pub connections: usize,
    /// How long one is kept: shorter than the server keeps it (MinIO: 30 s), or requests meet closed connections.
    pub idle: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { connections: 256, idle: Duration::from_secs(20) }
    }
}

/// How the addresses of upstreams are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for, and has to be answered with success; without it a connection is enough.
    pub path: Option<CheckPath>,
    /// From one check of an address to the next.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { path: None, interval: Duration::from_secs(5), timeout: Duration::from_secs(2) }
    }
}

/// Where the rules are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A directory with a document a bucket, or one document for every bucket.
    pub path: PathBuf,
    /// How often the files are looked at, beside the notifications of the file system.
    pub poll: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { path: "conf/rules".into(), poll: Duration::from_millis(500) }
    }
}

/// How CORS is answered where S3's own way can be bettered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Which answers carry `Vary`.
    pub vary: VaryPolicy,
    /// Whether a grant to a named origin includes credentials.
    pub credentials: CredentialsPolicy,
    /// Whether answers carry `x-s3cors-decision`, which says what was decided and why.
    pub debug_header: bool,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// JSON or text.
    pub format: LogFormat,
    /// The least important level that is logged.
    pub level: LogLevel,
    /// Whether each request has a line.
    pub access: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: LogLevel::default(), access: true }
    }
}

/// How the process ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// How long requests in flight may take to end.
    pub drain: Duration,
    /// How long the listener stays open after `/readyz` has begun to fail.
    pub delay: Duration,
    /// The Unix socket over which a process that starts takes the listening sockets of the one that runs.
    pub handover: Option<PathBuf>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { drain: Duration::from_secs(25), delay: Duration::ZERO, handover: None }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not valid.
    #[error(transparent)]
    File(#[from] ConfigFileError),
    /// Nothing says where the S3 server is.
    #[error(
        "no upstream: say where the S3 server is, with --upstream http://HOST:PORT, S3CORS_UPSTREAM or upstream.url in the file"
    )]
    NoUpstream,
}

impl Config {
    /// The address of the admin listener when nothing else is said.
    pub const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9180);
    const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    const DEFAULT_REJECTED_ORIGINS: usize = 50;

    /// Reads the file that the flags name, if they name one, and puts the flags over it.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong, where, and what to do.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        let file = match &flags.config {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        Self::merge(flags, file)
    }

    fn merge(flags: Flags, file: ConfigFile) -> Result<Self, ConfigError> {
        let upstream_tls = file.upstream_tls();
        let upstream = file.upstream.unwrap_or_default();
        let upstreams = first_given(flags.upstream, upstream.url);
        if upstreams.is_empty() {
            return Err(ConfigError::NoUpstream);
        }
        let listen = first_given(flags.listen.into_iter().map(Listener::from).collect(), file.listen);
        let rules = file.rules.unwrap_or_default().or_default();
        Ok(Self {
            listen: if listen.is_empty() { vec![Self::DEFAULT_LISTEN.into()] } else { listen },
            admin: flags.admin.or(file.admin).unwrap_or(Self::DEFAULT_ADMIN),
            upstreams,
            balance: upstream.balance.unwrap_or_default(),
            upstream_host: upstream.host.unwrap_or_default(),
            health_check: upstream.health_check.map(file::HealthCheckSection::or_default),
            upstream_tls,
            timeouts: upstream.timeouts.unwrap_or_default().or_default(),
            keepalive: upstream.keepalive.unwrap_or_default().or_default(),
            domains: first_given(flags.domain, file.domains),
            rules: Rules { path: flags.rules.unwrap_or(rules.path), ..rules },
            cors: file.cors.unwrap_or_default().or_default(),
            limits: file.limits.unwrap_or_default().or_default(),
            log: file.log.unwrap_or_default().or_default(),
            shutdown: file.shutdown.unwrap_or_default().or_default(),
            threads: file.threads.map_or_else(available_threads, |threads| threads.0),
            rejected_origins: file
                .metrics
                .and_then(|metrics| metrics.rejected_origins)
                .unwrap_or(Self::DEFAULT_REJECTED_ORIGINS),
        })
    }
}

fn first_given<T>(flags: Vec<T>, file: Option<values::OneOrMany<T>>) -> Vec<T> {
    if flags.is_empty() { file.map(|values| values.0).unwrap_or_default() } else { flags }
}

/// A thread for each processor that this process may use.
fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commented file is the reference: it has every key, and the defaults that it tells are those of the program.
    #[test]
    fn the_sample_file_has_every_key_with_its_default() {
        let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/s3cors.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        // A setting without a default is commented out; its # stands right before the key, that of a remark before a space.
        let commented_out =
            |line: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
        let lines =
            text.lines().map(|line| if commented_out(line) { line.replacen('#', "", 1) } else { line.to_owned() });
        let everything = ConfigFile::parse(&lines.collect::<Vec<_>>().join("\n"), path).unwrap();
        let shown = format!("{everything:?}");
        assert_eq!(shown.find("None"), None, "a key is missing: {shown}");
        let check = everything.upstream.unwrap().health_check.unwrap().or_default();
        assert_eq!(HealthCheck { path: None, ..check }, HealthCheck::default());

        let sample = ConfigFile::parse(&text, path).unwrap();
        let merged = Config::merge(Flags::default(), sample).unwrap();
        let upstream = Flags { upstream: vec!["http://127.0.0.1:9000".parse().unwrap()], ..Flags::default() };
        let defaults = Config::merge(upstream, ConfigFile::default()).unwrap();
        assert_eq!(format!("{merged:#?}"), format!("{defaults:#?}"));
    }
}
