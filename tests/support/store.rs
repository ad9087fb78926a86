//! A real S3 store that checks signatures, in the test's own process, and the real SDK to speak to it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const ACCESS_KEY: &str = "TESTACCESSKEY";
pub const SECRET_KEY: &str = "test-secret-key";
pub const REGION: &str = "us-east-1";

/// A store that goes when the test does.
pub struct Store {
    pub address: SocketAddr,
    directory: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What a request is about, as one side has it: `PUT /bucket/key?x` and the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub line: String,
    pub host: String,
}

impl Store {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(directory.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    stream.set_nodelay(true).unwrap();
                    let (service, kept) = (service.clone(), Arc::clone(&kept));
                    let service = service_fn(move |request: Request<Incoming>| {
                        kept.lock().unwrap().push(asked_by(&request));
                        let service = service.clone();
                        async move { service.call(request.map(s3s::Body::from)).await }
                    });
                    tokio::spawn(async move {
                        let _ =
                            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                    });
                }
            });
        });
        Self { address, directory, asked }
    }

    /// The requests that have come since so many.
    pub fn asked_since(&self, mark: usize) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().skip(mark).cloned().collect()
    }

    /// Where the store keeps an object.
    pub fn file(&self, bucket: &str, key: &str) -> PathBuf {
        self.directory.path().join(bucket).join(key)
    }
}

/// Hyper leaves a target in origin form as it came, to the byte.
fn asked_by(request: &Request<Incoming>) -> Asked {
    let hosts: Vec<_> = request.headers().get_all("host").iter().map(|host| host.to_str().unwrap()).collect();
    Asked { line: format!("{} {}", request.method(), request.uri()), host: hosts.join(", ") }
}

/// The AWS SDK, speaking to this address in path style.
pub fn client(address: SocketAddr) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    Client::from_conf(config(&format!("http://{address}")).http_client(http).build())
}

/// What clients of the SDK have in common; the transport is left open.
pub fn config(endpoint: &str) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .endpoint_url(endpoint)
        .force_path_style(true)
}
