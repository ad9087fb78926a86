//! CORS inside a hyper server: `cargo run -p s3-cors --example server`
//!
//! The server answers preflights from the rules alone and adds the headers of a grant to its other responses. The example binds a
//! free port on loopback, sends itself a few requests, checks what comes back and ends.

use http::header::{CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3_cors::{
    CorsRequest, Credentials, Decision, Denial, Document, Format, RequestKind, ResourceType, RuleTable, VaryMerge,
    evaluate, merge_vary,
};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Failure = Box<dyn std::error::Error>;

const RULES: &[u8] = br#"[{
    "AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["content-type"]
}]"#;

fn respond(rules: &RuleTable, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let asked = CorsRequest::from((request.method(), request.headers()));
    let decision = evaluate(Some(rules), &asked);
    let mut response = match (decision.kind, decision.denial()) {
        (RequestKind::Preflight, Some(denial)) => refuse(denial, asked.asked_method()),
        (RequestKind::Preflight, None) => Response::new(Full::default()),
        // The server's own work, done whatever the rules say.
        _ => Response::new(Full::from("an object")),
    };
    add_cors(response.headers_mut(), &decision);
    response
}

/// A short text; S3 sends an XML document with the refusal's message, the method, the resource and request ids.
fn refuse(denial: &Denial, method: &str) -> Response<Full<Bytes>> {
    let refusal = denial.refusal(ResourceType::Object);
    let body = format!("{} for {method}", refusal.code);
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = refusal.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn add_cors(headers: &mut HeaderMap, decision: &Decision) {
    if let Some(grant) = decision.grant() {
        grant.for_each_header(|name, value| {
            headers.insert(name.clone(), value.clone());
        });
    }
    if let VaryMerge::Set(vary) = merge_vary(headers.get_all(VARY).iter().map(HeaderValue::as_bytes)) {
        headers.insert(VARY, vary);
    }
}

async fn serve(listener: TcpListener, rules: Arc<RuleTable>) -> std::io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        let rules = Arc::clone(&rules);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = respond(&rules, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            // An error here is a client that went away.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

/// Sends one request and returns the whole response.
async fn exchange(address: std::net::SocketAddr, method: Method, lines: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("{method} /bucket/key HTTP/1.1\r\nHost: s3.example\r\nConnection: close\r\n{lines}\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    connection.read_to_string(&mut response).await?;
    Ok(response)
}

async fn check(address: std::net::SocketAddr) -> std::io::Result<()> {
    let preflight = "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n";
    let granted = exchange(address, Method::OPTIONS, preflight).await?;
    assert!(granted.starts_with("HTTP/1.1 200 OK\r\n"), "{granted}");
    assert!(granted.contains("access-control-allow-methods: GET, PUT\r\n"), "{granted}");

    let foreign = "Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n";
    let refused = exchange(address, Method::OPTIONS, foreign).await?;
    assert!(refused.starts_with(&format!("HTTP/1.1 {}\r\n", StatusCode::FORBIDDEN)), "{refused}");
    assert!(!refused.contains("access-control-") && refused.ends_with("AccessForbidden for PUT"), "{refused}");

    let read = exchange(address, Method::GET, "Origin: https://app.example\r\n").await?;
    assert!(read.contains("access-control-allow-origin: https://app.example\r\n"), "{read}");
    assert!(read.contains("vary: Origin, ") && read.ends_with("an object"), "{read}");

    let plain = exchange(address, Method::GET, "").await?;
    assert!(!plain.contains("access-control-") && plain.contains("vary: Origin, "), "{plain}");
    Ok(())
}

fn main() -> Result<(), Failure> {
    let document = Document::parse(RULES, Format::Json)?;
    let rules = Arc::new(RuleTable::new(document.configuration(), Credentials::S3));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(serve(listener, rules));
        check(address).await?;
        Ok(())
    })
}
