//! `s3cors completions` and `s3cors man`

use super::{Cli, VERSION, fail, print, wrong_usage};
use clap::{Command, CommandFactory};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "s3cors", &mut script);
    print(&String::from_utf8_lossy(&script))
}

const HELP: &str = "\
Examples:
  s3cors man explain | man -l -
  s3cors man --all /usr/local/share/man/man1";

#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Man {
    /// The command whose page to print; without it, the page of s3cors itself
    command: Option<String>,
    /// Write the pages of s3cors and of each command to this directory, instead of printing one
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    all: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self) -> ExitCode {
        let mut cli = Cli::command().disable_help_subcommand(true);
        // Gives each command its full name.
        cli.build();
        if let Some(directory) = &self.all {
            return match write_all(&cli, directory) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&format_args!("{}: {error}", directory.display())),
            };
        }
        let command = match &self.command {
            Some(name) => cli.get_subcommands().find(|command| command.get_name() == name),
            None => Some(&cli),
        };
        let Some(command) = command else {
            let names: Vec<_> = with_pages(&cli).skip(1).map(Command::get_name).collect();
            return wrong_usage(&format_args!("there is no such command; there are {}", names.join(", ")));
        };
        let mut text = Vec::new();
        match page(command).render(&mut text) {
            Ok(()) => print(&String::from_utf8_lossy(&text)),
            Err(error) => fail(&error),
        }
    }
}

/// The program and its commands.
fn with_pages(cli: &Command) -> impl Iterator<Item = &Command> {
    std::iter::once(cli).chain(cli.get_subcommands().filter(|command| !command.is_hide_set()))
}

fn page(command: &Command) -> clap_mangen::Man {
    clap_mangen::Man::new(command.clone()).source(format!("s3cors {VERSION}"))
}

fn write_all(cli: &Command, directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    with_pages(cli).try_for_each(|command| page(command).generate_to(directory).map(drop))
}
