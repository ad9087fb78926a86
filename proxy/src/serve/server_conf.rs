//! What Pingora's server is configured with.

use crate::config::{Config, PresignedHead};
use crate::upstream::MAX_TRIES;
use pingora::server::configuration::ServerConf;

pub(super) fn server_conf(config: &Config) -> ServerConf {
    ServerConf {
        // Each service has one thread; those that serve clients are ours.
        threads: 1,
        work_stealing: false,
        ca_file: config.upstream().tls.ca_file.as_ref().map(|path| path.to_string_lossy().into_owned()),
        upstream_keepalive_pool_size: config.upstream().keepalive.connections,
        // A HEAD that is asked again as GET is another try to Pingora.
        max_retries: MAX_TRIES + usize::from(config.presigned.head == PresignedHead::ByGet),
        // Pingora sleeps all of it, even when nothing is left: `exit_when_drained` ends it.
        // It takes whole seconds, and 0 would cut requests at once: a part of a second becomes a whole one.
        grace_period_seconds: Some(u64::try_from(config.shutdown.drain.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)),
        graceful_shutdown_timeout_seconds: Some(1),
        // Pingora keeps its own timers until they would have fired, even when the wait ended long ago: those for an upstream's
        // response would pile up for five minutes. Longer ones are tokio's, which are dropped with the wait and cost the same.
        fast_timeout_to_tokio_threshold_seconds: Some(5),
        ..ServerConf::default()
    }
}
