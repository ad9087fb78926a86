//! How the code is laid out: who may know whom, as ARCHITECTURE.md says. A change here is a change of design, not of a test.

mod imports;

use imports::{Import, imports};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each room of the proxy and the rooms that it may know. `serve` puts everything together and no one knows it; `cli` is the program.
const MAY_KNOW: [(&str, &[&str]); 17] = [
    ("s3", &[]),
    ("process", &[]),
    ("telemetry", &[]),
    ("config", &["s3"]),
    ("tls", &["config"]),
    ("credentials", &["s3", "tls"]),
    ("rules", &["config", "credentials", "tls"]),
    ("observe", &[]),
    ("servers", &[]),
    ("upstream", &["config"]),
    ("explain", &["config", "rules", "s3"]),
    ("exchange", &["config", "observe", "rules", "s3", "telemetry"]),
    ("drivers", &["config", "exchange", "telemetry", "upstream"]),
    ("downstream", &["config", "drivers", "exchange", "process", "tls", "upstream"]),
    ("admin", &["config", "credentials", "explain", "observe", "process", "rules", "telemetry", "upstream"]),
    (
        "serve",
        &[
            "admin",
            "config",
            "credentials",
            "downstream",
            "drivers",
            "exchange",
            "observe",
            "process",
            "rules",
            "s3",
            "telemetry",
            "tls",
            "upstream",
        ],
    ),
    ("cli", &["config", "explain", "rules", "s3", "serve", "servers", "telemetry", "tls"]),
];

/// Where Pingora's types may be; everything else decides without them.
const KNOW_PINGORA: [&str; 7] = ["drivers", "downstream", "upstream", "tls", "admin", "process", "serve"];

/// Where metrics may be held. State is held by its owner and only exported: elsewhere no decision can read a metric.
const KNOW_PROMETHEUS: [&str; 1] = ["telemetry"];

/// Where messages of HTTP/1.1 are read, and the length of a body.
const KNOW_HTTP1: [&str; 3] = ["drivers", "downstream", "exchange"];

/// What a decision about an exchange must not see: sessions, sockets, runtimes.
const NO_EXCHANGE_KNOWS: [&str; 10] = [
    "pingora",
    "Session",
    "RequestHeader,",
    "RequestHeader)",
    "ResponseHeader",
    "Stream",
    "tokio",
    "async fn",
    "TcpListener",
    "std::io",
];

/// What a pure library does not touch.
const IMPURE: [&str; 9] =
    ["tokio", "pingora", "tracing", "log::", "std::fs", "std::net", "std::time", "std::env", "std::thread"];

/// A file that is longer is not read in one sitting.
const LONGEST_FILE: usize = 500;

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

fn room_of(path: &Path, source: &Path) -> String {
    let first = path.strip_prefix(source).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The place of a file in its crate: `rules/mod.rs` is `["rules"]`, `lib.rs` the root.
fn module_of(path: &Path, source: &Path) -> Vec<String> {
    let place = path.strip_prefix(source).unwrap().with_extension("");
    let mut segments: Vec<_> = place.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    let is_above = matches!(segments.last().unwrap().as_str(), "mod" | "lib" | "main");
    segments.truncate(segments.len() - usize::from(is_above));
    segments
}

#[test]
fn each_room_knows_only_whom_it_may() {
    let source = root().join("proxy/src");
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (path, text) in sources(&source) {
        let room = room_of(&path, &source);
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == room) else {
            assert!(["lib", "main"].contains(&room.as_str()), "{room}: say whom it may know");
            continue;
        };
        for import in imports(&text, &module_of(&path, &source)) {
            let imported = MAY_KNOW.iter().find(|(other, _)| import.path.first().is_some_and(|first| first == other));
            let Some((other, _)) = imported.filter(|(other, _)| *other != room) else { continue };
            if may_know.contains(other) {
                used.insert((room.clone(), *other));
            } else {
                wrong.push(format!("{} knows {other} ({})", path.display(), import.path.join("::")));
            }
        }
        let libraries =
            [("pingora::", &KNOW_PINGORA[..]), ("prometheus::", &KNOW_PROMETHEUS), ("s3cors_http1::", &KNOW_HTTP1)];
        for (library, rooms) in libraries {
            if text.contains(library) && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{} knows {library}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A leave that no one needs is a design that was not built.
    for (room, may_know) in MAY_KNOW {
        for other in may_know {
            assert!(
                used.contains(&(room.to_owned(), *other)),
                "{room} may know {other} and does not: take the leave away"
            );
        }
    }
}

/// Files that import each other can be read, changed and tested only together. Not counted is what a file imports of the module that it
/// is in: it belongs to it.
#[test]
fn no_files_import_each_other() {
    for crate_source in ["proxy/src", "proxy/cors/src", "proxy/http1/src"] {
        let found = circles(&imports_between_files(&root().join(crate_source)));
        assert!(found.is_empty(), "merge one subject, cut where two know each other: {found:#?}");
    }
}

type Module = Vec<String>;

/// For each file the other files that it imports, by the file that defines what it names.
fn imports_between_files(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let of_file = |(path, text): (PathBuf, String)| {
        let module = module_of(&path, source);
        let found = imports(&text, &module).into_iter().filter(|import| !import.is_in_tests);
        (module, found.collect::<Vec<_>>())
    };
    let files: BTreeMap<Module, Vec<_>> = sources(source).into_iter().map(of_file).collect();
    let exported = |import: &Import| {
        let module = import.exported_by.clone()?;
        let name = [module, vec![import.path.last()?.clone()]].concat();
        (name != import.path).then(|| (name, import.path.clone()))
    };
    let exports: BTreeMap<Module, Module> = files.values().flatten().filter_map(exported).collect();
    // A name that is a file's is the file, whatever has the same name in it.
    let exporter = |path: &Module| {
        let beginnings = (1..=path.len()).filter(|length| !files.contains_key(&path[..*length]));
        beginnings.map(|length| (length, exports.get(&path[..length]))).find_map(|(length, of)| Some((length, of?)))
    };
    let defining_file = |path: &Module| {
        let mut path = path.clone();
        while let Some((length, exported)) = exporter(&path) {
            path = [exported.as_slice(), &path[length..]].concat();
        }
        (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|module| files.contains_key(module))
    };
    let edges = files.iter().map(|(module, found)| {
        let others = found.iter().filter(|import| import.exported_by.is_none());
        let others = others.filter_map(|import| defining_file(&import.path));
        (module.clone(), others.filter(|other| !module.starts_with(other)).collect())
    });
    edges.collect()
}

/// The sets of files of which each leads to each other one.
fn circles(edges: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Vec<String>> {
    let reached_from = |module: &Module| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![module]);
        while let Some(module) = next.pop() {
            next.extend(edges[module].iter().filter(|other| reached.insert((*other).clone())));
        }
        reached
    };
    let reached: BTreeMap<_, _> = edges.keys().map(|module| (module, reached_from(module))).collect();
    let circle_of = |module: &Module| {
        let circle = reached[module].iter().filter(|other| reached[*other].contains(module));
        circle.map(|module| module.join("/")).collect::<Vec<_>>()
    };
    edges.keys().map(circle_of).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn an_exchange_names_no_session_and_no_socket() {
    for (path, text) in sources(&root().join("proxy/src/exchange")) {
        for name in NO_EXCHANGE_KNOWS {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
}

/// The body of each method of the `ProxyHttp` implementation is one line: decisions are the exchange's, work is in `phases`.
#[test]
fn each_hook_of_the_pingora_driver_is_one_line() {
    let text = std::fs::read_to_string(root().join("proxy/src/drivers/pingora/mod.rs")).unwrap();
    let (_, hooks) = text.split_once("impl ProxyHttp for").unwrap();
    let mut bodies = 0;
    let mut lines = hooks.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.ends_with(" {") || line.starts_with(' ') && !line.starts_with("    ") {
            continue;
        }
        let is_signature = line.trim_start().starts_with("fn ")
            || line.trim_start().starts_with("async fn ")
            || line.trim_start().starts_with(") -> ");
        if is_signature {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "    }").collect();
            assert_eq!(body.len(), 1, "{line}\n{}", body.join("\n"));
            bodies += 1;
        }
    }
    assert!(bodies >= 12, "{bodies} hooks were found");
}

#[test]
fn a_file_is_read_in_one_sitting() {
    for folder in ["proxy/src", "proxy/cors/src", "proxy/http1/src"] {
        for (path, _) in sources(&root().join(folder)) {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines: does it hold two subjects?", path.display());
        }
    }
}

#[test]
fn the_engine_and_the_grammar_are_pure() {
    for folder in ["proxy/cors/src", "proxy/http1/src"] {
        for (path, text) in sources(&root().join(folder)) {
            for impure in IMPURE {
                assert!(!text.contains(impure), "{} has {impure}", path.display());
            }
        }
    }
}

/// ARCHITECTURE.md is what a reader finds: every room is described there.
#[test]
fn the_architecture_page_names_every_room() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (room, _) in MAY_KNOW {
        assert!(page.contains(&format!("`{room}")) || page.contains(&format!("{room}/")), "{room} is not on the page");
    }
}
