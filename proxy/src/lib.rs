//! s3cors: a reverse proxy that puts Amazon S3's CORS in front of any S3 endpoint.
//!
//! The engine (`s3-cors`) decides; everything here carries requests to it and its verdicts back. [`config`] becomes one checked value,
//! [`rules`] are read from disk and swapped live, [`listening`] and [`tls`] are the way in, [`gateway`] is the proxy on Pingora,
//! [`upstream`] knows where requests go, [`telemetry`] and [`admin`] tell operators about it, [`shutdown`] ends it, [`handover`]
//! passes its sockets to the process that comes after it, [`signals`] are the other signals, and [`serve`](serve::serve) puts them
//! together.

pub mod admin;
pub mod config;
pub mod explanation;
pub mod gateway;
pub mod handover;
pub mod listening;
pub mod rules;
pub mod s3;
pub mod serve;
pub mod shutdown;
pub mod signals;
pub mod telemetry;
pub mod tls;
pub mod upstream;
