//! `s3cors completions` and `s3cors man`

use super::{Cli, fail, print};
use clap::CommandFactory;
use std::process::ExitCode;

pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "s3cors", &mut script);
    print(&String::from_utf8_lossy(&script))
}

pub(super) fn man() -> ExitCode {
    let mut page = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => print(&String::from_utf8_lossy(&page)),
        Err(error) => fail(&error),
    }
}
