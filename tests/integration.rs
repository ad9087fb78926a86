//! The built program, spoken to over real sockets: one file a behaviour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that can not go on has failed, and Clippy takes only the functions marked as tests for one"
)]

mod support;

mod actual;
mod admin;
mod answers;
mod cli;
mod clients;
mod conformance;
mod demo;
mod doctor;
mod expect;
mod failures;
mod forwarding;
mod health;
mod house;
mod limits;
mod log;
mod memory;
mod metrics;
mod preflight;
mod rejected;
mod reload;
mod retries;
mod sdk;
mod secrets;
mod start;
mod stop;
mod uploads;
mod upstreams;
