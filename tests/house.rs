//! How the code is laid out: who may know whom. A change here is a change of design, not of a test.

use std::path::{Path, PathBuf};

/// Each module of the proxy and the modules it may know. `main` and `serve` put everything together; nobody knows them, the
/// gateway or the admin listener.
const MAY_KNOW: [(&str, &[&str]); 14] = [
    ("config", &[]),
    ("s3", &["config"]),
    ("rules", &["config"]),
    ("upstream", &["config"]),
    ("telemetry", &["config", "rules"]),
    ("tls", &["config"]),
    ("explanation", &["telemetry"]),
    ("handover", &[]),
    ("shutdown", &["handover"]),
    ("signals", &["telemetry"]),
    ("gateway", &["config", "rules", "s3", "telemetry", "upstream"]),
    ("admin", &["explanation", "rules", "shutdown", "telemetry", "upstream"]),
    ("listening", &["config", "tls"]),
    (
        "serve",
        &[
            "admin",
            "config",
            "gateway",
            "handover",
            "listening",
            "rules",
            "shutdown",
            "signals",
            "telemetry",
            "tls",
            "upstream",
        ],
    ),
];

/// Where Pingora's types may be.
const KNOW_PINGORA: [&str; 8] = ["gateway", "admin", "upstream", "tls", "shutdown", "signals", "listening", "serve"];

/// What a pure library does not touch.
const IMPURE: [&str; 9] =
    ["tokio", "pingora", "tracing", "log::", "std::fs", "std::net", "std::time", "std::env", "std::thread"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source file below a folder, with its text without comments.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((path, code.collect::<Vec<_>>().join("\n")));
        }
    }
    found
}

fn module_of(path: &Path, source: &Path) -> String {
    let first = path.strip_prefix(source).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn each_module_knows_only_whom_it_may() {
    let source = root().join("proxy/src");
    let mut wrong = Vec::new();
    for (path, text) in sources(&source) {
        let module = module_of(&path, &source);
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == module) else {
            assert!(["lib", "main", "cli"].contains(&module.as_str()), "{module}: say whom it may know");
            continue;
        };
        for (other, _) in MAY_KNOW.iter().filter(|(other, _)| *other != module && !may_know.contains(other)) {
            if text.contains(&format!("crate::{other}")) {
                wrong.push(format!("{} knows {other}", path.display()));
            }
        }
        if text.contains("pingora::") && !KNOW_PINGORA.contains(&module.as_str()) {
            wrong.push(format!("{} knows Pingora", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_engine_is_pure() {
    for (path, text) in sources(&root().join("proxy/cors/src")) {
        for impure in IMPURE {
            assert!(!text.contains(impure), "{} has {impure}", path.display());
        }
    }
}
