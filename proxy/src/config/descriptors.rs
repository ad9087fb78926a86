//! The number of files that the process may open, and the part of them that is for connections.

use super::settings::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that no connection of a client or to an upstream takes. Some dozens are for the admin listener, health checks, rules,
/// certificates, the log and a runtime for each thread; 100 for clients that are told that they are refused; and 128 to spare, for instance
/// for clients that gave up their places and are not closed yet.
const RESERVE: usize = 320;
/// With so few descriptors there is nothing to reserve: it is left to the system what can be opened.
const FEWEST: usize = 128;

/// The number of files that the process may open (`RLIMIT_NOFILE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors(usize);

/// Limits that are lower than configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// The number of files that the process may open.
    pub open_files: usize,
    /// Set if no one has chosen what is lowered.
    pub are_defaults: bool,
}

impl Descriptors {
    /// The number that the process may have once [`raise`](Self::raise) was called.
    #[must_use]
    pub fn of_process() -> Self {
        let most = getrlimit(Resource::Nofile).maximum;
        Self(most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX))
    }

    /// Lets the process have as many as it may. The lower limit, often 1,024, is for programs that use select(2), which knows no more
    /// (systemd.exec(5), `LimitNOFILE=`).
    pub fn raise() {
        let limit = getrlimit(Resource::Nofile);
        if limit.current < limit.maximum {
            // Without it there are fewer connections, and a line in the log for each that is too many.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
        }
    }

    /// The limits that hold, and how they differ from these if they do.
    #[must_use]
    pub(super) fn apply(self, limits: Limits) -> (Limits, Option<Lowered>) {
        let (held, defaults) = (self.lowered(limits), Limits::default());
        let are_defaults =
            (limits.connections, limits.upstream_connections) == (defaults.connections, defaults.upstream_connections);
        (held, (held != limits).then_some(Lowered { open_files: self.0, are_defaults }))
    }

    /// Lowers both limits by the same part where there are not enough descriptors for them.
    fn lowered(self, limits: Limits) -> Limits {
        let (clients, upstreams) = (limits.connections, limits.upstream_connections);
        let available = self.0.saturating_sub(RESERVE).max(self.0 / 8);
        let wanted = clients.saturating_add(upstreams);
        if wanted <= available || self.0 <= FEWEST {
            return limits;
        }
        // In more bits, since a configured limit has no bound.
        let part = |count: usize| {
            let part = (count as u128) * (available as u128) / (wanted as u128);
            usize::try_from(part).unwrap_or(usize::MAX).max(1)
        };
        Limits { connections: part(clients), upstream_connections: part(upstreams), ..limits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        for (files, configured, expected) in [
            (1_048_576, (10_000, 10_000), (10_000, 10_000)),
            (20_320, (10_000, 10_000), (10_000, 10_000)),
            (1_024, (10_000, 10_000), (352, 352)),
            (1_024, (600, 104), (600, 104)),
            (1_024, (100_000, 10_000), (640, 64)),
            (256, (10_000, 10_000), (16, 16)),
            (128, (10_000, 10_000), (10_000, 10_000)),
            (1_024, (usize::MAX, 1), (704, 1)),
        ] {
            let limits =
                |(connections, upstream_connections)| Limits { connections, upstream_connections, ..Limits::default() };
            assert_eq!(Descriptors(files).lowered(limits(configured)), limits(expected), "{files} {configured:?}");
        }
    }
}
