//! The paths of the admin listener: each stands here once.

use http::Method;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Leads to the page for people.
    Home,
    Metrics,
    Healthz,
    Readyz,
    Status,
    Rules,
    Rejections,
    Explain,
    Learn,
    Shadow,
    Reload,
}

/// Why a request is for nothing that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// There is no such path.
    Path,
    /// The path has other methods.
    Method { allow: &'static str },
}

impl Route {
    const ALL: [(&str, Self); 11] = [
        ("/", Self::Home),
        ("/metrics", Self::Metrics),
        ("/healthz", Self::Healthz),
        ("/readyz", Self::Readyz),
        ("/status", Self::Status),
        ("/api/rules", Self::Rules),
        ("/api/rejections", Self::Rejections),
        ("/api/explain", Self::Explain),
        ("/api/learn", Self::Learn),
        ("/api/shadow", Self::Shadow),
        ("/-/reload", Self::Reload),
    ];

    /// Returns whether anyone may ask for a path, under any name and without a token.
    pub(super) fn is_for_probes(path: &str) -> bool {
        matches!(path, "/healthz" | "/readyz")
    }

    pub(super) fn of(method: &Method, path: &str) -> Result<Self, NoRoute> {
        let found = Self::ALL.into_iter().find_map(|(known, route)| (known == path).then_some(route));
        let route = found.ok_or(NoRoute::Path)?;
        let (allows, allow) = match route {
            Self::Reload => (*method == Method::POST, "POST"),
            _ => (matches!(*method, Method::GET | Method::HEAD), "GET, HEAD"),
        };
        if allows { Ok(route) } else { Err(NoRoute::Method { allow }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_methods_and_no_other_path_exists() {
        let read = Err(NoRoute::Method { allow: "GET, HEAD" });
        for (method, path, expected) in [
            (Method::GET, "/metrics", Ok(Route::Metrics)),
            (Method::HEAD, "/healthz", Ok(Route::Healthz)),
            (Method::POST, "/healthz", read),
            (Method::GET, "/healthz/", Err(NoRoute::Path)),
            (Method::GET, "/api", Err(NoRoute::Path)),
            (Method::GET, "/", Ok(Route::Home)),
            (Method::POST, "/", read),
            (Method::POST, "/-/reload", Ok(Route::Reload)),
            (Method::GET, "/-/reload", Err(NoRoute::Method { allow: "POST" })),
            (Method::POST, "/unknown", Err(NoRoute::Path)),
        ] {
            assert_eq!(Route::of(&method, path), expected, "{method} {path}");
        }
    }
}
