//! Whether the process runs in a container.

use std::path::Path;

/// What Docker and Podman leave in each of their containers.
const MARKS: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];
/// What Kubernetes sets in each of its containers.
const KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";

/// Whether this is a container, as far as one can tell from inside.
#[must_use]
pub fn is_container() -> bool {
    std::env::var_os(KUBERNETES).is_some_and(|host| !host.is_empty())
        || MARKS.iter().any(|mark| Path::new(mark).exists())
}
