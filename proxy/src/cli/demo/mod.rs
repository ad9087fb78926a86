//! `s3cors demo`: a store, a bucket, rules, pages and the proxy, on one machine and in one process.

mod background;
mod link;
mod pages;

use super::{fail, print, serve};
use clap::Args;
use link::presigned;
use pages::Pages;
use s3cors_proxy::config::{AdminListener, Config, ConfigErrors, Flags};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const ACCESS_KEY: &str = "DEMOACCESSKEY";
const SECRET_KEY: &str = "demo-secret-key";
const BUCKET: &str = "demo";
const REGION: &str = "us-east-1";
const RULES: &str = include_str!("rules.xml");

#[derive(Args)]
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
    #[error("{0}: {1}")]
    Address(SocketAddr, std::io::Error),
    #[error("the store cannot be started: {0}")]
    Store(String),
    #[error("the pages cannot be served: {0}")]
    Pages(std::io::Error),
    #[error("the link cannot be signed: {0}")]
    Signing(String),
    #[error(transparent)]
    Config(#[from] ConfigErrors),
}

/// What is served where.
struct Addresses {
    listen: SocketAddr,
    admin: SocketAddr,
    store: SocketAddr,
    pages: Pages,
}

impl Demo {
    pub(super) fn run(self) -> ExitCode {
        match self.prepare() {
            Ok((config, introduction)) => {
                print(&introduction);
                serve::start(config)
            }
            Err(error) => fail(&error),
        }
    }

    fn prepare(self) -> Result<(Config, String), DemoError> {
        let data =
            self.data.unwrap_or_else(|| std::env::temp_dir().join(format!("s3cors-demo-{}", std::process::id())));
        let rules = data.join("rules");
        let document = rules.join(format!("{BUCKET}.xml"));
        write(&data.join("store").join(BUCKET).join("hello.txt"), "Hello from behind s3cors.\n")?;
        write(&document, RULES)?;
        let (listen, admin) = (settled(self.listen)?, settled(self.admin)?);
        let store = start_store(&data.join("store"))?;
        let pages = Pages::start([self.page, self.other_page], listen, admin)?;
        let flags = Flags {
            listen: vec![listen.into()],
            admin: Some(admin.into()),
            upstream: vec![format!("http://{store}").parse().map_err(|e| DemoError::Store(format!("{e}")))?],
            rules: Some(rules),
            ..Flags::default()
        };
        let mut config = Config::load(flags)?;
        config.log.format = s3cors_proxy::config::LogFormat::Text;
        // The store checks signatures and has no CORS of its own: put-bucket-cors works.
        config.rules.api = s3cors_proxy::config::RulesApi::On;
        Ok((config, introduction(&Addresses { listen, admin, store, pages }, &document)?))
    }
}

/// The address with a port: links and pages name it before the proxy listens.
fn settled(address: SocketAddr) -> Result<SocketAddr, DemoError> {
    if address.port() != 0 {
        return Ok(address);
    }
    TcpListener::bind(address)
        .and_then(|listener| listener.local_addr())
        .map_err(|source| DemoError::Address(address, source))
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

fn introduction(addresses: &Addresses, rules: &Path) -> Result<String, DemoError> {
    let Addresses { listen, admin, store, pages: Pages { allowed, denied } } = addresses;
    let object = format!("http://{listen}/{BUCKET}/hello.txt");
    let link = presigned("GET", &object)?;
    Ok(format!(
        "s3cors demo

  S3 endpoint   http://{listen}   (bucket {BUCKET}, path style; the store itself is on {store})
  access key    {ACCESS_KEY}
  secret key    {SECRET_KEY}
  rules         {}   (change them: they are live within a second)
  status        http://{admin}/status

Try, in a browser:

  1. {allowed}   a page that the rules allow: it puts an object and gets it back
  2. {denied}   the same page on an origin that they do not: follow its link to the status page, which says why
  3. copy the document that the status page proposes into the file of the rules, and try again: the PUT works. The proposal allows
     nothing else, so the GET has its own

Try, in another terminal:

  # 1. a preflight that the rules allow: 200, with the CORS headers
  curl -i -X OPTIONS '{object}' -H 'Origin: http://localhost:3000' -H 'Access-Control-Request-Method: PUT' -H 'Access-Control-Request-Headers: content-type'

  # 2. one from an origin that they do not: 403, and S3's reason
  curl -i -X OPTIONS '{object}' -H 'Origin: https://elsewhere.example' -H 'Access-Control-Request-Method: PUT'

  # 3. the object itself, as the page would get it: 200, signed, with the CORS headers
  curl -i -H 'Origin: http://localhost:3000' '{link}'

Ctrl-C ends it.

",
        rules.display()
    ))
}
