//! A page that puts an object and gets it back, on two origins: one that the rules allow and one that they do not.

use super::link::presigned;
use super::{BUCKET, DemoError, background};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

const PAGE: &str = include_str!("page.html");
const DEFAULT_PORTS: [u16; 2] = [8081, 8082];

/// Where the page is.
pub(super) struct Pages {
    /// The origin that the rules allow: by the name, which they have with any port.
    pub(super) allowed: String,
    /// The origin that they do not: by the address.
    pub(super) denied: String,
}

impl Pages {
    /// Serves the page on both addresses, for the proxy and the status page on these.
    pub(super) fn start(
        addresses: [Option<SocketAddr>; 2],
        listen: SocketAddr,
        admin: SocketAddr,
    ) -> Result<Self, DemoError> {
        let object = format!("http://{listen}/{BUCKET}/from-a-page.txt");
        let (put, get) = (presigned("PUT", &object)?, presigned("GET", &object)?);
        let settings = serde_json::json!({
            "proxy": format!("http://{listen}"), "put": put, "get": get, "bucket": BUCKET, "status": format!("http://{admin}/status"),
        });
        let page = Bytes::from(PAGE.replace("SETTINGS", &settings.to_string()));
        let [allowed, denied] = addresses;
        let [first, second] = DEFAULT_PORTS;
        let allowed = serve(&page, allowed, first).map_err(DemoError::Pages)?;
        let denied = serve(&page, denied, second).map_err(DemoError::Pages)?;
        Ok(Self { allowed: format!("http://localhost:{}", allowed.port()), denied: format!("http://{denied}") })
    }
}

/// Serves the page; where no address is asked for and the default port is taken, on a free one.
fn serve(page: &Bytes, address: Option<SocketAddr>, default_port: u16) -> io::Result<SocketAddr> {
    let listener = match address {
        Some(address) => TcpListener::bind(address)?,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, default_port))
            .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?,
    };
    let page = page.clone();
    let service = service_fn(move |_: Request<Incoming>| {
        let mut response = Response::new(Full::new(page.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        std::future::ready(Ok::<_, Infallible>(response))
    });
    background::serve("page", listener, service)
}
