//! The admin listener: metrics, health, rules and reload, on a socket of its own.

mod api;
mod status;

use crate::shutdown::Readiness;
use crate::telemetry::{Metrics, Reloader, Rules};
use async_trait::async_trait;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use pingora::apps::http_app::ServeHttp;
use pingora::protocols::http::ServerSession;
use std::sync::Arc;

/// What operators can ask.
pub struct Admin {
    /// The live rules.
    pub rules: Arc<Rules>,
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// Reloads on request.
    pub reloader: Reloader,
    /// Whether requests should come here.
    pub readiness: Arc<Readiness>,
}

/// An answer in the making: status, content type, body.
type Page = (StatusCode, &'static str, Vec<u8>);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Admin {
    async fn page(&self, method: &Method, path: &str, query: &str) -> Result<Page, NotServed> {
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        match path {
            "/-/reload" if *method == Method::POST => Ok(self.reload().await),
            "/-/reload" => Err(NotServed::Method("POST")),
            _ if !self.is_known(path) => Err(NotServed::Path),
            _ if !is_read => Err(NotServed::Method("GET, HEAD")),
            _ => Ok(self.read(path, query)),
        }
    }

    fn is_known(&self, path: &str) -> bool {
        matches!(
            path,
            "/metrics" | "/healthz" | "/readyz" | "/status" | "/api/rules" | "/api/rejections" | "/api/explain"
        )
    }

    fn read(&self, path: &str, query: &str) -> Page {
        match path {
            "/metrics" => match self.metrics.render() {
                Ok(text) => (StatusCode::OK, PROMETHEUS, text),
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            },
            "/readyz" => match self.readiness.why_not() {
                None => text(StatusCode::OK, "ready"),
                Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
            },
            "/status" => (StatusCode::OK, HTML, status::page(self).into_bytes()),
            "/api/rules" => api::rules(&self.rules),
            "/api/rejections" => api::rejections(&self.metrics),
            "/api/explain" => api::explain(&self.rules, query),
            _ => text(StatusCode::OK, "ok"),
        }
    }

    /// Reads the rules again, on a thread that may block.
    async fn reload(&self) -> Page {
        let reloader = self.reloader.clone();
        match tokio::task::spawn_blocking(move || reloader.reload()).await {
            Ok(report) => api::reloaded(&report),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }
}

/// Why there is no page.
enum NotServed {
    Path,
    Method(&'static str),
}

fn text(status: StatusCode, text: &str) -> Page {
    (status, TEXT, format!("{text}\n").into_bytes())
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let head = session.req_header();
        let (method, uri) = (head.method.clone(), head.uri.clone());
        let (page, allow) = match self.page(&method, uri.path(), uri.query().unwrap_or_default()).await {
            Ok(page) => (page, None),
            Err(NotServed::Path) => (text(StatusCode::NOT_FOUND, "not found"), None),
            Err(NotServed::Method(allow)) => (text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"), Some(allow)),
        };
        let (status, content_type, body) = page;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let length = HeaderValue::from(response.body().len());
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(allow) = allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
