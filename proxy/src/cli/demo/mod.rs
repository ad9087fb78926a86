//! `s3cors demo`: a store, a bucket, rules, pages and the proxy, on one machine and in one process.

mod background;
mod link;
mod pages;

use super::terminal::has_colour;
use super::{fail, print, serve};
use clap::Args;
use pages::{LINK, Pages};
use s3cors_proxy::config::{AdminListener, Config, ConfigErrors, Flags};
use s3cors_proxy::serve::Hooks;
use s3cors_proxy::telemetry::log;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::TempDir;
use tracing::level_filters::LevelFilter;

const ACCESS_KEY: &str = "DEMOACCESSKEY";
const SECRET_KEY: &str = "demo-secret-key";
const BUCKET: &str = "demo";
const REGION: &str = "us-east-1";
const RULES: &str = include_str!("rules.xml");

const HELP: &str = "\
Examples:
  s3cors demo
  s3cors demo --listen 127.0.0.1:0 --admin 127.0.0.1:0
  s3cors demo --data ./demo

Exit status:
  0    a signal ended it
  1    it cannot start, such as when an address is taken
  2    wrong usage
  130  a second signal ended it at once";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Demo {
    /// Address for S3 clients
    #[arg(long, value_name = "ADDR", env = "S3CORS_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address for metrics, health and status
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN", default_value_t = AdminListener::DEFAULT)]
    admin: SocketAddr,
    /// Address of a page that the rules allow [default: 127.0.0.1:8081, or a free port]
    #[arg(long, value_name = "ADDR")]
    page: Option<SocketAddr>,
    /// Address of the same page on an origin that they do not allow [default: 127.0.0.1:8082, or a free port]
    #[arg(long, value_name = "ADDR")]
    other_page: Option<SocketAddr>,
    /// Directory for the store and the rules, kept afterwards [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Why the demo cannot be shown.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("{}: {source}", path.display())]
    Files { path: PathBuf, source: std::io::Error },
    #[error("{flag} {address}: {source}; {flag} {} takes a free port", SocketAddr::new(address.ip(), 0))]
    Address { flag: &'static str, address: SocketAddr, source: std::io::Error },
    #[error("the store cannot be started: {0}")]
    Store(String),
    #[error("the pages cannot be served: {0}")]
    Pages(std::io::Error),
    #[error("the link cannot be signed: {0}")]
    Signing(String),
    #[error(transparent)]
    Config(#[from] ConfigErrors),
}

/// Lines that are not logged: those of the store, such as those about the signature that a probe breaks on purpose, those of a start,
/// which would come after what is to be read, and those of the end.
const NOT_LOGGED: [(&str, LevelFilter); 6] = [
    ("s3cors_proxy::process", LevelFilter::WARN),
    ("s3s", LevelFilter::OFF),
    ("s3s_fs", LevelFilter::OFF),
    ("s3cors_proxy::serve", LevelFilter::WARN),
    ("s3cors_proxy::upstream", LevelFilter::WARN),
    ("s3cors_proxy::exchange::bucket_cors::api", LevelFilter::WARN),
];

/// What is served where.
struct Addresses {
    listen: SocketAddr,
    admin: SocketAddr,
    pages: Pages,
}

impl Demo {
    pub(super) fn run(self) -> ExitCode {
        let (directory, kept) = match self.directory() {
            Ok(directory) => directory,
            Err(error) => return fail(&error),
        };
        match self.prepare(&directory) {
            Ok((config, introduction)) => {
                let ready = move |_| {
                    print(&introduction);
                };
                let hooks = Hooks { ready: Some(Box::new(ready)), end: Some(Box::new(move || drop(kept))) };
                let format = log::Format::Console { has_colour: has_colour(&std::io::stdout()) };
                serve::start(config, format, &NOT_LOGGED, hooks)
            }
            Err(error) => fail(&error),
        }
    }

    /// The directory of the store and the rules, which is removed with the second where it is temporary.
    fn directory(&self) -> Result<(PathBuf, Option<TempDir>), DemoError> {
        if let Some(data) = &self.data {
            return Ok((data.clone(), None));
        }
        let temporary = tempfile::Builder::new().prefix("s3cors-demo-").tempdir();
        let temporary = temporary.map_err(|source| DemoError::Files { path: std::env::temp_dir(), source })?;
        Ok((temporary.path().to_owned(), Some(temporary)))
    }

    fn prepare(self, data: &Path) -> Result<(Config, String), DemoError> {
        let (listen, admin) = (settled("--listen", self.listen)?, settled("--admin", self.admin)?);
        let rules = data.join("rules");
        let document = rules.join(format!("{BUCKET}.xml"));
        write(&data.join("store").join(BUCKET).join("hello.txt"), "Hello from behind s3cors.\n")?;
        write(&document, RULES)?;
        let store = start_store(&data.join("store"))?;
        let pages = Pages::start([self.page, self.other_page], listen, admin, &document)?;
        let flags = Flags {
            listen: vec![listen.into()],
            admin: Some(admin.into()),
            upstream: vec![format!("http://{store}").parse().map_err(|e| DemoError::Store(format!("{e}")))?],
            rules: Some(rules),
            ..Flags::default()
        };
        let mut config = Config::load(flags)?;
        // The store checks signatures and has no CORS of its own: put-bucket-cors works.
        config.rules.api = s3cors_proxy::config::RulesApi::On;
        Ok((config, introduction(&Addresses { listen, admin, pages }, &document)))
    }
}

/// The address with a port, which links and pages name before the proxy listens. One that is taken is told with its flag.
fn settled(flag: &'static str, address: SocketAddr) -> Result<SocketAddr, DemoError> {
    TcpListener::bind(address).and_then(|listener| listener.local_addr()).map_err(|source| DemoError::Address {
        flag,
        address,
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    let failed = |source| DemoError::Files { path: path.to_owned(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    // What a user changed in a directory of their own stays.
    if path.exists() { Ok(()) } else { std::fs::write(path, text).map_err(failed) }
}

/// Serves the directory as an S3 store that checks signatures, on a port of the system's choice.
fn start_store(root: &Path) -> Result<SocketAddr, DemoError> {
    let failed = |error: &dyn std::fmt::Debug| DemoError::Store(format!("{error:?}"));
    let files = s3s_fs::FileSystem::new(root).map_err(|e| failed(&e))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| failed(&e))?;
    background::serve("store", listener, service.build()).map_err(|e| failed(&e))
}

/// The things to try. The text fits into a terminal of 24 lines of 80 characters.
fn introduction(addresses: &Addresses, rules: &Path) -> String {
    let Addresses { listen, admin, pages: Pages { allowed, denied } } = addresses;
    let object = format!("http://{listen}/{BUCKET}/hello.txt");
    format!(
        "s3cors demo: a store, its CORS and a page that uses it. Ctrl-C ends it.

  endpoint   http://{listen}   bucket {BUCKET}, path style
  keys       {ACCESS_KEY}   {SECRET_KEY}
  link       {allowed}{LINK}   leads to a presigned one

In a terminal: a preflight that the rules allow, and one that they do not

  curl -iX OPTIONS {object} \\
    -H Origin:http://localhost:3000 -H Access-Control-Request-Method:PUT
  curl -iX OPTIONS {object} \\
    -H Origin:https://elsewhere.example -H Access-Control-Request-Method:PUT

In a browser: from a CORS error to the rule that ends it

  1. {allowed}   a page that the rules allow
  2. {denied}   the same page on another origin: press \"Why?\"
  3. save the document that it proposes as the file of the rules, and try again

  rules      {}
  status     http://{admin}/status

",
        rules.display()
    )
}
