//! The admin listener: metrics, health, rules and reload, on a socket of its own.
//!
//! | path | method | |
//! |---|---|---|
//! | `/` | GET | leads to `/status` |
//! | `/metrics` | GET | Prometheus text |
//! | `/healthz` | GET | the process lives |
//! | `/readyz` | GET | it takes requests |
//! | `/status` | GET | a page for people; explains what a query like that of `/api/explain` asks, `refresh=10` loads it again |
//! | `/api/rules`, `/api/rejections`, `/api/explain` | GET | JSON; an explanation by `request_id=` also as `format=text` |
//! | `/api/learn` | GET | JSON: the smallest rules that allow what was denied |
//! | `/api/shadow` | GET | JSON: what the shadow rules would decide otherwise |
//! | `/-/reload` | POST | read the rules again |
//!
//! Decides: who may ask, by the name of the host, the token and the page that sends a POST; and what the pages say.

mod admission;
mod api;
mod authority;
mod browser;
mod denial;
mod learn;
mod route;
mod shadow;
mod signature;
mod signing;
mod status;

pub use crate::explain::SettingsBeside;
pub use admission::Admission;
pub use shadow::Shadow;
pub use signing::{NamedCredentials, Signing};

use crate::config::Routes;
use crate::observe::{LastHour, RecentDenials, RefusedSignatures, Rejections};
use crate::process::readiness::Readiness;
use crate::rules::Store;
use crate::telemetry::Metrics;
use crate::upstream::{UpstreamState, Upstreams};
use admission::AdminRequest;
use async_trait::async_trait;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, REFRESH,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use pingora::apps::http_app::ServeHttp;
use pingora::protocols::http::ServerSession;
use route::Route;
use std::sync::Arc;

/// What operators can ask.
pub struct Admin {
    /// The live rules.
    pub rules: Arc<Store>,
    /// Whether the CORS of a bucket can be written by request, in a word; `None` where that is off.
    pub writing: Box<dyn Fn() -> Option<&'static str> + Send + Sync>,
    /// The shadow rules, where there are some.
    pub shadow: Option<Shadow>,
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// Who is turned away.
    pub rejections: Arc<Rejections>,
    /// The latest denials.
    pub recent_denials: Arc<RecentDenials>,
    /// The latest requests whose signature was refused.
    pub refused_signatures: Arc<RefusedSignatures>,
    /// The reads that are signed here; `None` where no prefix is listed.
    pub signing: Option<Signing>,
    /// The settings that decide beside the rules, for explanations.
    pub settings: SettingsBeside,
    /// The numbers of the last hour.
    pub last_hour: Arc<LastHour>,
    /// Where requests go.
    pub upstreams: Upstreams,
    /// The routes of buckets.
    pub routes: Routes,
    /// Whether requests should come here.
    pub readiness: Arc<Readiness>,
    /// The checks before a request is served.
    pub admission: Admission,
}

/// A page: status, content type, body.
type Page = (StatusCode, &'static str, Vec<u8>);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
/// The policy of a page that is not to be shown with anything else.
const NOTHING: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Admin {
    /// The state of each server of each upstream.
    fn upstream_states(&self) -> Vec<UpstreamState> {
        self.upstreams.iter().flat_map(|upstream| upstream.states()).collect()
    }

    async fn page(&self, route: Route, query: &str) -> Page {
        match route {
            Route::Home => text(StatusCode::FOUND, "see /status"),
            Route::Metrics => match self.metrics.render() {
                Ok(text) => (StatusCode::OK, PROMETHEUS, text),
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            },
            Route::Healthz => text(StatusCode::OK, "ok"),
            Route::Readyz => match self.readiness.why_not() {
                None => text(StatusCode::OK, "ready"),
                Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
            },
            Route::Status => (StatusCode::OK, HTML, status::page(self, query).into_bytes()),
            Route::Rules => api::rules(&self.rules),
            Route::Rejections => api::rejections(&self.rejections, query),
            Route::Explain => api::explain(self, query),
            Route::Learn => self.learn(query).await,
            Route::Shadow => shadow::changes(self.shadow.as_ref(), query),
            Route::Reload => self.reload().await,
        }
    }

    /// Finds rules for what was denied, on a thread that may take its time.
    async fn learn(&self, query: &str) -> Page {
        let (rejections, recent) = (Arc::clone(&self.rejections), Arc::clone(&self.recent_denials));
        let query = query.to_owned();
        let learned = tokio::task::spawn_blocking(move || learn::learned(&rejections, &recent, &query)).await;
        learned.unwrap_or_else(|error| text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
    }

    /// Reads the rules again, on a thread that may block.
    async fn reload(&self) -> Page {
        let rules = Arc::clone(&self.rules);
        let shadow = self.shadow.as_ref().map(|shadow| Arc::clone(&shadow.rules));
        let reload = move || (rules.reload(), shadow.map(|shadow| shadow.store().reload()));
        match tokio::task::spawn_blocking(reload).await {
            Ok((live, shadow)) => api::reloaded(&live, shadow.as_ref()),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }
}

fn text(status: StatusCode, text: &str) -> Page {
    (status, TEXT, format!("{text}\n").into_bytes())
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let asked = AdminRequest::of(session.req_header());
        let query = asked.query.to_owned();
        let (page, header, refresh) = match self.admission.admit(&asked).await {
            Ok(route) => {
                let refresh = if route == Route::Status { status::refresh::interval(&query) } else { None };
                (self.page(route, &query).await, route.header(), refresh)
            }
            Err(refused) => {
                let (status, why, header) = refused.response();
                (text(status, &why), header, None)
            }
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
        // Only the page for people has anything for a browser to do.
        let policy = if content_type == HTML { status::POLICY } else { NOTHING };
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        // A query can hold what someone asked about: no link carries it away.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Some((name, value)) = header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(seconds) = refresh {
            headers.insert(REFRESH, HeaderValue::from(seconds));
        }
        response
    }
}
