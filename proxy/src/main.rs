//! The command line of s3cors: what is asked, and with which status the process ends.

mod cli;

use std::process::ExitCode;

/// glibc gives a large buffer's pages back after every request and faults them in again with the next; this allocator keeps them,
/// and no more of them after ten minutes than after one.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::Cli::read().run()
}
