//! The process: when it is ready, how it drains and ends, how it hands its sockets over, and the signals it answers.
//!
//! Must not know: requests, rules, or metrics. What it waits for and what it triggers is handed in.

pub mod container;
pub mod drain;
pub mod exit;
pub mod handover;
pub mod readiness;
pub mod signals;
