//! The built program, spoken to over real sockets: one file a behaviour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and Clippy exempts only functions marked as tests"
)]

mod support;

mod actual;
mod admin;
mod admin_access;
mod admin_commands;
mod answers;
mod audit;
mod both_halves;
mod bucket_cors;
mod cli;
mod clients;
mod conformance;
mod connection_options;
mod credentials;
mod crowded;
mod declines;
mod demo;
mod differential;
mod doctor;
mod enforce;
mod exchange;
mod expect;
mod explain;
mod failures;
mod fallback;
mod fidelity;
mod file_modes;
mod first_try;
mod foreign_forms;
mod forwarded;
mod forwarding;
mod grants;
mod half_closed;
mod health;
mod health_path;
mod hosts;
mod house;
mod http2;
mod http2_frames;
mod http2_shares;
mod http2_streams;
mod kept_connections;
mod learn;
mod limits;
mod lint;
mod log;
mod loops;
mod malformed;
mod memory;
mod metrics;
mod mistakes;
mod names;
mod neighbours;
mod old_clients;
mod one_bucket;
mod operations;
mod preflight;
mod presigned;
mod protocols;
mod proxy_protocol;
mod public_names;
mod readers;
mod rejected;
mod reload;
mod responses;
mod restart;
mod retries;
mod routes;
mod rules_store;
mod rules_upstream;
mod sdk;
mod secrets;
mod server_check;
mod shadow;
mod signed_names;
mod signed_reads;
mod slow;
mod smuggling;
mod start;
mod status_page;
mod stop;
mod systemd;
mod targets;
mod terminal;
mod threads;
mod tls;
mod tls_key_exchange;
mod tls_resumption;
mod tls_upstream;
mod transfers;
mod upload_limits;
mod uploads;
mod upstream_limit;
mod upstreams;
mod writes;
