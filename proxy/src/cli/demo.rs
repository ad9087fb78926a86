//! `s3cors demo`: a store, a bucket, rules and the proxy, on one machine and in one process.

use super::{fail, print, serve};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use clap::Args;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3cors_proxy::config::{Config, ConfigError, Flags};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

const ACCESS_KEY: &str = "DEMOACCESSKEY";
const SECRET_KEY: &str = "demo-secret-key";
const BUCKET: &str = "demo";
const REGION: &str = "us-east-1";
const RULES: &str = include_str!("demo-rules.xml");
/// The longest that S3 lets a presigned URL live.
const LINK_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Args)]
pub(super) struct Demo {
    /// Address for S3 clients
    #[arg(long, value_name = "ADDR", env = "S3CORS_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address for metrics, health and status
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN", default_value_t = Config::DEFAULT_ADMIN)]
    admin: SocketAddr,
    /// Directory for the store and the rules, kept afterwards [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Why the demo cannot be shown.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("{}: {source}", path.display())]
    Files { path: PathBuf, source: std::io::Error },
    #[error("the store cannot be started: {0}")]
    Store(String),
    #[error("the link cannot be signed: {0}")]
    Signing(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
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
        write(&data.join("store").join(BUCKET).join("hello.txt"), "Hello from behind s3cors.\n")?;
        write(&rules.join(format!("{BUCKET}.xml")), RULES)?;
        let store = start_store(&data.join("store"))?;
        let flags = Flags {
            listen: vec![self.listen.into()],
            admin: Some(self.admin.into()),
            upstream: vec![format!("http://{store}").parse().map_err(|e| DemoError::Store(format!("{e}")))?],
            rules: Some(rules.clone()),
            ..Flags::default()
        };
        let mut config = Config::load(flags)?;
        config.log.format = s3cors_proxy::config::LogFormat::Text;
        Ok((config, introduction(self.listen, self.admin, store, &rules)?))
    }
}

fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    let failed = |source| DemoError::Files { path: path.to_owned(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    // What a user changed in a directory of their own stays.
    if path.exists() { Ok(()) } else { std::fs::write(path, text).map_err(failed) }
}

/// Serves the directory as an S3 store that checks signatures, on a port of the system's choice, from a thread of its own.
fn start_store(root: &Path) -> Result<SocketAddr, DemoError> {
    let failed = |error: &dyn std::fmt::Debug| DemoError::Store(format!("{error:?}"));
    let files = s3s_fs::FileSystem::new(root).map_err(|e| failed(&e))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| failed(&e))?;
    listener.set_nonblocking(true).map_err(|e| failed(&e))?;
    let address = listener.local_addr().map_err(|e| failed(&e))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
    let run = move || runtime.block_on(accept(listener, service));
    std::thread::Builder::new().name("store".into()).spawn(run).map_err(|e| failed(&e))?;
    Ok(address)
}

async fn accept(listener: TcpListener, service: S3Service) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            // A client that goes away early is no error of the store.
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn introduction(listen: SocketAddr, admin: SocketAddr, store: SocketAddr, rules: &Path) -> Result<String, DemoError> {
    let object = format!("http://{listen}/{BUCKET}/hello.txt");
    let link = presigned(&object)?;
    Ok(format!(
        "s3cors demo

  S3 endpoint   http://{listen}   (bucket {BUCKET}, path style; the store itself is on {store})
  access key    {ACCESS_KEY}
  secret key    {SECRET_KEY}
  rules         {}   (change them: they are live within a second)
  status        http://{admin}/status

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

/// A link that lets anyone who has it read an object.
fn presigned(url: &str) -> Result<String, DemoError> {
    let failed = |error: &dyn std::fmt::Display| DemoError::Signing(error.to_string());
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LINK_LIFETIME);
    let identity = aws_credential_types::Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "demo").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|e| failed(&e))?;
    let request =
        SignableRequest::new("GET", url, std::iter::empty(), SignableBody::UnsignedPayload).map_err(|e| failed(&e))?;
    let (instructions, _) = sign(request, &parameters.into()).map_err(|e| failed(&e))?.into_parts();
    let mut signed = url::Url::parse(url).map_err(|e| failed(&e))?;
    for (name, value) in instructions.params() {
        signed.query_pairs_mut().append_pair(name, value);
    }
    Ok(signed.into())
}
