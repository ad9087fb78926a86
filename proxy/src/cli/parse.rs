//! The command line and the environment, read by clap, and its errors in this program's words.

use super::{Cli, fail};
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, CommandFactory, Error, FromArgMatches};
use s3cors_proxy::config::{ConfigFile, Flags, without_user};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;

/// The exit status on wrong usage, as clap has it.
const USAGE: i32 = 2;

impl Cli {
    /// Reads the arguments and the environment; ends the process where they are wrong or only ask for help.
    pub(crate) fn read() -> Self {
        let reading = Reading::of(std::env::args_os().collect());
        match &reading.matches {
            Some(matches) if reading.errors.is_empty() => match Self::from_arg_matches(matches) {
                Ok(cli) => cli,
                Err(error) => explained(error, &reading.command, &reading.arguments).exit(),
            },
            _ => {
                let serve = reading.matches.as_ref().and_then(|matches| matches.subcommand_matches("serve"));
                let flags = serve.and_then(|serve| Flags::from_arg_matches(serve).ok());
                end(&reading.errors, flags.and_then(|flags| flags.config).as_deref())
            }
        }
    }
}

/// The flags that `serve` would get from the environment alone. Where they are wrong, the process ends as `serve` does, with what is
/// wrong with the configuration file, too.
pub(super) fn flags_of_environment(config: Option<&Path>) -> Flags {
    let reading = Reading::of(["s3cors", "serve"].map(OsString::from).into());
    let serve = reading.matches.as_ref().and_then(|matches| matches.subcommand_matches("serve"));
    let flags = serve.and_then(|serve| Flags::from_arg_matches(serve).ok());
    match flags {
        Some(flags) if reading.errors.is_empty() => flags,
        flags => end(&reading.errors, config.or(flags.and_then(|flags| flags.config).as_deref())),
    }
}

/// The arguments as clap reads them without those that are wrong.
struct Reading {
    command: Command,
    arguments: Vec<OsString>,
    matches: Option<ArgMatches>,
    errors: Vec<Error>,
}

impl Reading {
    /// Reads the arguments, and reads them again without a value that is wrong for as long as one is: clap stops at the first.
    fn of(arguments: Vec<OsString>) -> Self {
        let command = with_headings(without_empty_variables(Cli::command()));
        let mut reading = Self { command, arguments, matches: None, errors: Vec::new() };
        loop {
            match reading.command.clone().try_get_matches_from(&reading.arguments) {
                Ok(matches) => return Self { matches: Some(matches), ..reading },
                Err(error) => {
                    if !reading.take(error) {
                        return reading;
                    }
                }
            }
        }
    }

    /// Notes an error and leaves its value out; returns whether there is more to read.
    fn take(&mut self, error: Error) -> bool {
        let is_about_value = error.kind() == ErrorKind::ValueValidation;
        // What is missing now may have been there.
        let is_consequence = matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict);
        if is_consequence && !self.errors.is_empty() {
            return false;
        }
        let (flag, value) = (text_of(&error, ContextKind::InvalidArg), text_of(&error, ContextKind::InvalidValue));
        let variable = variable_of(&error, &self.command, &self.arguments);
        self.errors.push(explained(error, &self.command, &self.arguments));
        let flag = flag.as_deref().and_then(|shown| shown.split(' ').next()).unwrap_or_default();
        if !is_about_value || flag.is_empty() {
            return false;
        }
        match variable {
            Some(variable) => {
                let command = std::mem::take(&mut self.command);
                self.command = without_variables(command, |argument| {
                    argument.get_env().is_some_and(|env| env == variable.as_str())
                });
                true
            }
            None => self.leave_out(flag, &value.unwrap_or_default()),
        }
    }

    /// Removes a flag where it has this value; returns whether it was there.
    fn leave_out(&mut self, flag: &str, value: &str) -> bool {
        let before = self.arguments.len();
        let (mut kept, mut arguments) = (Vec::new(), std::mem::take(&mut self.arguments).into_iter().peekable());
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy().into_owned();
            let mut occurrence = vec![argument];
            if text == flag {
                // A flag may have several values.
                while let Some(next) = arguments.next_if(|next| !next.to_string_lossy().starts_with('-')) {
                    occurrence.push(next);
                }
            }
            let is_flag = text.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
            let has_value = || occurrence.iter().any(|part| part.to_string_lossy().contains(value));
            if !is_flag || !has_value() {
                kept.extend(occurrence);
            }
        }
        self.arguments = kept;
        self.arguments.len() < before
    }
}

/// Prints what is wrong with the arguments and the environment, and with a configuration file, and ends the process.
fn end(errors: &[Error], config: Option<&Path>) -> ! {
    let of_file = config.map(|path| ConfigFile::read_valid(path).1).unwrap_or_default();
    if let ([only], []) = (errors, of_file.as_slice()) {
        only.exit();
    }
    const MORE: &str = "For more information, try '--help'.";
    // If standard error is closed, there is nowhere left to report to.
    for error in errors {
        let text = error.render().to_string();
        let text = text.trim_end();
        let _ = writeln!(std::io::stderr(), "{}\n", text.strip_suffix(MORE).unwrap_or(text).trim_end());
    }
    for error in of_file {
        fail(&error);
    }
    let _ = writeln!(std::io::stderr(), "{MORE}");
    std::process::exit(USAGE)
}

fn text_of(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The commands with headings in the text after their options that look like the headings of the options.
fn with_headings(command: Command) -> Command {
    let header = *command.get_styles().get_header();
    let styled = |line: &str| {
        if line.ends_with(':') && !line.starts_with(' ') {
            format!("{header}{line}{header:#}\n")
        } else {
            format!("{line}\n")
        }
    };
    let help = command.get_after_help().map(ToString::to_string);
    let command = match help {
        Some(help) => command.after_help(help.lines().map(styled).collect::<String>()),
        None => command,
    };
    command.mut_subcommands(with_headings)
}

/// A variable that is empty is not set: files for Compose and units have no other way to leave one out.
fn without_empty_variables(command: Command) -> Command {
    without_variables(command, |argument| {
        argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
    })
}

/// The commands without the variables of these arguments.
fn without_variables(command: Command, is_meant: impl Fn(&Arg) -> bool) -> Command {
    command.mut_subcommands(|command| {
        command.mut_args(|argument| {
            if is_meant(&argument) { argument.env(Resettable::<clap::builder::OsStr>::Reset) } else { argument }
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
