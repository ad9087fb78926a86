//! A page that puts an object and gets it back, on two origins: one that the rules allow and one that they do not. And a short link,
//! which leads to the presigned one of an object that is there.

use super::link::presigned;
use super::{BUCKET, DemoError, background};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::http::{HeaderValue, StatusCode};
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

const PAGE: &str = include_str!("page.html");
/// The colours and the elements of the status page.
const LOOK: &str = include_str!("../../admin/status/look.css");
const DEFAULT_PORTS: [u16; 2] = [8081, 8082];
/// The path of the short link.
pub(super) const LINK: &str = "/hello.txt";

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
        rules: &Path,
    ) -> Result<Self, DemoError> {
        let object = format!("http://{listen}/{BUCKET}/from-a-page.txt");
        let (put, get) = (presigned("PUT", &object)?, presigned("GET", &object)?);
        let link = presigned("GET", &format!("http://{listen}/{BUCKET}/hello.txt"))?;
        let link = HeaderValue::try_from(link).map_err(|error| DemoError::Signing(error.to_string()))?;
        let ([allowed, denied], [first, second]) = (addresses, DEFAULT_PORTS);
        let (first, second) = (bind("--page", allowed, first)?, bind("--other-page", denied, second)?);
        let local = |listener: &TcpListener| listener.local_addr().map_err(DemoError::Pages);
        let (allowed, denied) =
            (format!("http://localhost:{}", local(&first)?.port()), format!("http://{}", local(&second)?));
        let settings = serde_json::json!({
            "proxy": format!("http://{listen}"), "put": put, "get": get, "bucket": BUCKET, "status": format!("http://{admin}/status"),
            "rules": rules, "origins": [&allowed, &denied],
        });
        // No text of it ends the script: serde_json leaves `<` as it is.
        let settings = settings.to_string().replace('<', "\\u003c");
        let page = Bytes::from(PAGE.replace("LOOK", LOOK).replace("SETTINGS", &settings));
        for listener in [first, second] {
            serve(&page, &link, listener).map_err(DemoError::Pages)?;
        }
        Ok(Self { allowed, denied })
    }
}

/// Listens; where no address is asked for and the default port is taken, on a free one.
fn bind(flag: &'static str, address: Option<SocketAddr>, default_port: u16) -> Result<TcpListener, DemoError> {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, default_port));
    let bound = TcpListener::bind(address.unwrap_or(default));
    let bound = if address.is_none() { bound.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))) } else { bound };
    bound.map_err(|source| DemoError::Address { flag, address: address.unwrap_or(default), source })
}

/// Serves the page, and the short link.
fn serve(page: &Bytes, link: &HeaderValue, listener: TcpListener) -> io::Result<SocketAddr> {
    let (page, link) = (page.clone(), link.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut response = Response::new(Full::<Bytes>::default());
        if request.uri().path() == LINK {
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert(LOCATION, link.clone());
        } else {
            *response.body_mut() = page.clone().into();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    background::serve("page", listener, service)
}
