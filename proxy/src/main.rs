//! The command line of s3cors: what is asked, and with which status the process ends.

mod cli;

use clap::Parser;
use std::process::ExitCode;

/// glibc gives a large buffer's pages back after every request and faults them in again with the next; this allocator keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::Cli::parse().run()
}
