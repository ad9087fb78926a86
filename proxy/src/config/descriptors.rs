//! How many files the process may open, and the part of them that is for connections.

use super::settings::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that no connection of a client or to an upstream takes: for the admin listener, health checks, rules, certificates, the
/// log and the runtime itself, which has some dozens.
const RESERVE: usize = 128;

/// The number of files that the process may open (`RLIMIT_NOFILE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors(usize);

impl Descriptors {
    /// As many as the process may have once [`raise`](Self::raise) was called.
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

    /// The number.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0
    }

    /// These limits, both lowered by the same part where there are not enough descriptors for both.
    #[must_use]
    pub(super) fn lowered(self, limits: Limits) -> Limits {
        let (clients, upstreams) = (limits.connections, limits.upstream_connections);
        // Of very few, half are for connections.
        let available = self.0.saturating_sub(RESERVE).max(self.0 / 2);
        let wanted = clients.saturating_add(upstreams);
        if wanted <= available {
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
            (20_128, (10_000, 10_000), (10_000, 10_000)),
            (1_024, (10_000, 10_000), (448, 448)),
            (1_024, (600, 200), (600, 200)),
            (1_024, (100_000, 10_000), (814, 81)),
            (256, (10_000, 10_000), (64, 64)),
            (64, (10_000, 10_000), (16, 16)),
            (1_024, (usize::MAX, 1), (896, 1)),
        ] {
            let limits =
                |(connections, upstream_connections)| Limits { connections, upstream_connections, ..Limits::default() };
            assert_eq!(Descriptors(files).lowered(limits(configured)), limits(expected), "{files} {configured:?}");
        }
    }
}
