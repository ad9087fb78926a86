//! The sections of the configuration file, each with its defaults. The rest of the proxy reads these structs as they are.
//!
//! `#[serde(default)]` on a struct takes a missing key from the struct's `Default`, so a default is stated once.

use super::fields::{As, OrDefault, Placed, Section, WithPlace};
use super::forwarded::ForwardedSection;
use super::number::{Count, Number};
use super::paths::OptionalPath;
use super::rules::Rules;
use super::rules_store::RulesStore;
use super::tls::{Tls, TlsFiles, UpstreamTls};
use super::upstream::CheckPath;
use super::values::{
    CredentialsPolicy, Interval, LogFormat, LogLevel, PresignedHead, ResourcePolicy, Size, Switch, Time,
    TimingAllowOrigin, VaryPolicy,
};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// How long each step towards an upstream may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// To open a TCP connection to an upstream.
    #[serde(with = "As::<Interval>")]
    pub connect: Duration,
    /// Between two reads from an upstream, and until its response begins.
    #[serde(with = "As::<Interval>")]
    pub read: Duration,
    /// Between two writes to an upstream.
    #[serde(with = "As::<Interval>")]
    pub write: Duration,
}

impl Default for Timeouts {
    /// The read timeout runs while a slow client uploads. It is longer than the client's own timeout, or a slow client would be
    /// reported as an upstream failure. It is minutes because CompleteMultipartUpload may be silent that long (S3 API).
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), read: Duration::from_secs(300), write: Duration::from_secs(60) }
    }
}

/// Limits on what a client may use: time, memory, connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// To send a whole request head, from its first byte; on a new connection, from when it opens. Also for the handshake of TLS.
    #[serde(with = "As::<Interval>")]
    pub header_read: Duration,
    /// The size of a request head.
    #[serde(with = "As::<Size>")]
    pub header_size: Size,
    /// Memory for the unfinished request heads of all clients together.
    #[serde(with = "As::<Size>")]
    pub heads: Size,
    /// Between two requests on a connection.
    #[serde(with = "As::<Interval>")]
    pub idle: Duration,
    /// Between two reads of a request body.
    #[serde(with = "As::<Interval>")]
    pub body_read: Duration,
    /// Until the client accepts the next bytes of a response.
    #[serde(with = "As::<Interval>")]
    pub body_write: Duration,
    /// Connections of clients, open at the same time. A new one takes the place of one that waits for a request; where all have one, it
    /// gets 503. Lowered where the process may not open as many files.
    #[serde(with = "As::<Count>")]
    pub connections: usize,
    /// Connections to upstreams, open at the same time. Beyond it requests wait, no longer than for a new connection, and then get 503.
    /// Lowered where the process may not open as many files.
    #[serde(with = "As::<Count>")]
    pub upstream_connections: usize,
    /// Memory for the request bodies of all clients that are kept whole: documents of a bucket's CORS.
    #[serde(with = "As::<Size>")]
    pub bodies: Size,
    /// Interim responses (status 1xx) of an upstream to one request.
    #[serde(with = "As::<Count>")]
    pub interim: usize,
    /// The size of a response head.
    #[serde(with = "As::<Size>")]
    pub response_head: Size,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(30),
            header_size: Size(64 * 1024),
            heads: Size(32 * 1024 * 1024),
            idle: Duration::from_secs(75),
            body_read: Duration::from_secs(60),
            body_write: Duration::from_secs(60),
            connections: 10_000,
            upstream_connections: 10_000,
            bodies: Size(64 * 1024 * 1024),
            interim: 16,
            response_head: Size(256 * 1024),
        }
    }
}

/// Connections to upstreams that stay open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Keepalive {
    /// How many are kept; 0 keeps none.
    #[serde(with = "As::<Number>")]
    pub connections: usize,
    /// How long one is kept. Shorter than the server keeps it (MinIO: 30 s), or requests meet closed connections.
    #[serde(with = "As::<Interval>")]
    pub idle: Duration,
    /// The time that an upstream may take to acknowledge what it is sent (`TCP_USER_TIMEOUT`). No shorter than `timeouts.write`, which is the
    /// default if it is longer than a minute.
    #[serde(with = "WithPlace::<Interval>")]
    pub(super) user_timeout: Option<Placed<Duration>>,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { connections: 256, idle: Duration::from_secs(20), user_timeout: None }
    }
}

/// Active health checks of upstream addresses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HealthCheck {
    /// The path to request; it must return 2xx. Without a path, an open connection is enough.
    pub path: Option<CheckPath>,
    /// From one check of an address to the next.
    #[serde(with = "As::<Interval>")]
    pub interval: Duration,
    /// How long one check may take.
    #[serde(with = "As::<Interval>")]
    pub timeout: Duration,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { path: None, interval: Duration::from_secs(5), timeout: Duration::from_secs(2) }
    }
}

/// Deliberate differences from S3's CORS, and its neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Which responses carry `Vary`.
    #[serde(with = "OrDefault::<VaryPolicy>")]
    pub vary: VaryPolicy,
    /// Whether a grant to a named origin includes credentials.
    #[serde(with = "OrDefault::<CredentialsPolicy>")]
    pub credentials: CredentialsPolicy,
    /// Whether the rules decide who may read the times of a response (`Timing-Allow-Origin`).
    #[serde(with = "OrDefault::<TimingAllowOrigin>")]
    pub timing_allow_origin: TimingAllowOrigin,
    /// Who may embed a response without CORS (`Cross-Origin-Resource-Policy`).
    #[serde(with = "OrDefault::<ResourcePolicy>")]
    pub resource_policy: ResourcePolicy,
    /// Refuses an actual request that the rules deny.
    #[serde(with = "OrDefault::<Switch>")]
    pub enforce: Switch,
    /// Whether responses carry `x-s3cors-decision`: what was decided and why.
    #[serde(with = "OrDefault::<bool>")]
    pub debug_header: bool,
}

/// How requests on presigned URLs are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Presigned {
    /// What becomes of a HEAD request that the upstream rejects with 403.
    #[serde(with = "OrDefault::<PresignedHead>")]
    pub head: PresignedHead,
    /// Lets a reader's browser keep one response for all signatures of a URL (No-Vary-Search).
    #[serde(with = "OrDefault::<Switch>")]
    pub no_vary_search: Switch,
}

/// The treatment of a signature that the upstream refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Signatures {
    /// Asks a request again with the `Accept-Encoding` that its client has signed, where something on the way replaced it.
    #[serde(with = "OrDefault::<Switch>")]
    pub heal: Switch,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// JSON or text; `auto` is text on a terminal and JSON everywhere else.
    #[serde(with = "OrDefault::<LogFormat>")]
    pub format: LogFormat,
    /// The least severe level that is logged.
    #[serde(with = "OrDefault::<LogLevel>")]
    pub level: LogLevel,
    /// Whether each request is logged.
    #[serde(with = "As::<bool>")]
    pub access: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: LogLevel::default(), access: true }
    }
}

/// How the process stops.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// How long requests in flight may take to finish.
    #[serde(with = "As::<Time>")]
    pub drain: Duration,
    /// How long the listeners stay open after `/readyz` starts to fail.
    #[serde(with = "As::<Time>")]
    pub delay: Duration,
    /// The Unix socket over which a starting process takes the listening sockets of the running one.
    #[serde(with = "OptionalPath")]
    pub handover: Option<PathBuf>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { drain: Duration::from_secs(25), delay: Duration::ZERO, handover: None }
    }
}

/// What the metrics show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct Metrics {
    /// How many buckets have series of their own; 0 shows all of them together.
    #[serde(with = "As::<Number>")]
    pub(super) buckets: usize,
    /// How many rejected origins have a series of their own; 0 shows none.
    #[serde(with = "As::<Number>")]
    pub(super) rejected_origins: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { buckets: 200, rejected_origins: 50 }
    }
}

/// What is kept for operators to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct Observe {
    /// How many of the latest denials are kept, by request id; 0 keeps none.
    #[serde(with = "As::<Number>")]
    pub(super) recent: usize,
}

impl Default for Observe {
    fn default() -> Self {
        Self { recent: 10_000 }
    }
}

/// The sections, each with the key that someone means who writes only a value.
macro_rules! sections {
    ($($section:ident: $name:literal, $key:literal;)*) => {
        $(impl Section for $section {
            const NAME: &'static str = $name;
            const KEY: &'static str = $key;
        })*
    };
}

sections! {
    Rules: "rules", "path";
    RulesStore: "store", "bucket";
    ForwardedSection: "forwarded", "mode";
    Cors: "cors", "vary";
    Presigned: "presigned", "head";
    Signatures: "signatures", "heal";
    Limits: "limits", "connections";
    Tls: "tls", "post_quantum";
    Log: "log", "level";
    Shutdown: "shutdown", "drain";
    Metrics: "metrics", "buckets";
    Observe: "observe", "recent";
    Timeouts: "timeouts", "connect";
    Keepalive: "keepalive", "connections";
    HealthCheck: "health_check", "path";
    UpstreamTls: "tls", "ca_file";
    TlsFiles: "tls", "certificate";
}
