//! Requests over HTTP/2 without TLS, and their responses as those of HTTP/1.1.

use super::DEADLINE;
use super::http::Response;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;

/// Sends a request with these header lines, on a connection of its own.
pub fn fetch(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let exchanged = tokio::time::timeout(DEADLINE, exchange(address, method, target, headers)).await;
        exchanged.expect("the response comes in time")
    })
}

async fn exchange(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.max_header_list_size(1024 * 1024);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(format!("http://s3.example.test{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Response {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: response.into_body().collect().await.unwrap().to_bytes().into(),
    }
}
