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

/// An error about the arguments or the environment: it names the variable where the value came from one, and shows no password.
fn explained(mut error: Error, command: &Command, arguments: &[OsString]) -> Error {
    // What is no known argument may be a value.
    let is_argument = error.kind() == ErrorKind::UnknownArgument;
    let texts = [ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    let texts = texts.into_iter().chain(is_argument.then_some(ContextKind::InvalidArg));
    if texts.filter(|kind| hide(&mut error, *kind)).count() > 0 {
        // Suggestions repeat it.
        error.remove(ContextKind::Suggested);
    }
    if error.kind() != ErrorKind::ValueValidation {
        return error;
    }
    if let Some(variable) = variable_of(&error, command, arguments) {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    if is_in_password(&error, arguments) { without_value(&error, command) } else { error }
}

/// Shows one text of an error without what may be a password; returns whether it had any.
fn hide(error: &mut Error, kind: ContextKind) -> bool {
    let Some(ContextValue::String(text)) = error.get(kind) else { return false };
    let shown = without_user(text.trim());
    let is_hidden = shown != text.trim();
    error.insert(kind, ContextValue::String(shown));
    is_hidden
}

/// Returns true if the value can be a part of a list that was split at the commas of one password.
fn is_in_password(error: &Error, arguments: &[OsString]) -> bool {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return false };
    let variables = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("S3CORS_"));
    let given = arguments.iter().cloned().chain(variables.map(|(_, value)| value));
    given.map(|text| text.to_string_lossy().into_owned()).any(|text| {
        let is_part = text.split(',').skip(1).any(|part| part.trim() == value);
        is_part && (text.contains('@') || text.contains("%40"))
    })
}

/// The same error without the value, and without the reason, which repeats it.
fn without_value(error: &Error, command: &Command) -> Error {
    let mut quiet = Error::new(error.kind()).with_cmd(command);
    if let Some(argument) = error.get(ContextKind::InvalidArg) {
        quiet.insert(ContextKind::InvalidArg, argument.clone());
    }
    quiet.insert(ContextKind::InvalidValue, ContextValue::String("...".to_owned()));
    quiet
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
