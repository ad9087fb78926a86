//! The command line and the environment, read by clap, and its errors in this program's words.

use super::Cli;
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error, FromArgMatches};
use s3cors_proxy::config::{Flags, without_user};
use std::ffi::OsString;

impl Cli {
    /// Reads the arguments and the environment; ends the process where they are wrong or only ask for help.
    pub(crate) fn read() -> Self {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        let command = without_empty_variables(Self::command());
        let read =
            command.clone().try_get_matches_from(&arguments).and_then(|matches| Self::from_arg_matches(&matches));
        read.unwrap_or_else(|error| explained(error, &command, &arguments).exit())
    }
}

/// The flags that `serve` would get from the environment alone; ends the process where they are wrong, as `serve` does.
pub(super) fn flags_of_environment() -> Flags {
    let arguments = ["s3cors", "serve"].map(OsString::from);
    let command = without_empty_variables(Cli::command());
    let read = command.clone().try_get_matches_from(&arguments).and_then(|matches| {
        let serve = matches.subcommand_matches("serve").ok_or_else(|| Error::new(ErrorKind::MissingSubcommand))?;
        Flags::from_arg_matches(serve)
    });
    read.unwrap_or_else(|error| explained(error, &command, &arguments).exit())
}

/// A variable that is empty is not set: files for Compose and units have no other way to leave one out.
fn without_empty_variables(command: Command) -> Command {
    command.mut_subcommands(|command| {
        command.mut_args(|argument| {
            let is_empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
            if is_empty { argument.env(Resettable::<clap::builder::OsStr>::Reset) } else { argument }
        })
    })
}

/// An error about a value: it names the variable where the value came from one, and shows no password.
fn explained(mut error: Error, command: &Command, arguments: &[OsString]) -> Error {
    if error.kind() != ErrorKind::ValueValidation {
        return error;
    }
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let shown = ContextValue::String(without_user(value.trim()));
        error.insert(ContextKind::InvalidValue, shown);
    }
    if let Some(variable) = variable_of(&error, command, arguments) {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

/// The variable that the value came from: that of the argument, where the argument itself is not on the command line.
fn variable_of(error: &Error, command: &Command, arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = shown.split(' ').next()?;
    let is_given = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    if arguments.iter().any(is_given) {
        return None;
    }
    let subcommand = arguments.iter().find_map(|argument| command.find_subcommand(argument))?;
    let named = |argument: &&clap::Arg| argument.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long));
    let variable = subcommand.get_arguments().find(named)?.get_env()?;
    Some(variable.to_string_lossy().into_owned())
}
