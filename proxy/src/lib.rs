//! s3cors: a reverse proxy that puts Amazon S3's CORS in front of any S3 endpoint.
//!
//! The engine (`s3-cors`) decides about CORS; everything here carries requests to it and its decisions back. ARCHITECTURE.md tells the
//! whole of it. [`downstream`] is the way in, [`drivers`] move the bytes, an [`exchange`] decides what happens to a request,
//! [`upstream`] knows where it goes. [`rules`] are read and swapped live, [`explain`] says why they grant a request or not, [`config`]
//! becomes one checked value, [`observe`], [`telemetry`] and [`admin`] tell operators, [`process`] begins and ends it all, and
//! [`serve`](serve::serve) puts the parts together.

pub mod admin;
pub mod config;
pub mod downstream;
pub mod drivers;
pub mod exchange;
pub mod explain;
pub mod observe;
pub mod process;
pub mod rules;
pub mod s3;
pub mod serve;
pub mod telemetry;
pub mod tls;
pub mod upstream;
