//! The program that a profile names as its `credential_process` (AWS SDKs and Tools Reference Guide, "Process credential provider").

use reqsign_core::time::Timestamp;
use reqsign_core::{CommandExecute, CommandOutput, Error, Result};
use serde::Deserialize;
use std::fmt::Display;
use std::process::{Output, Stdio};
use tokio::process::Command;

/// Runs a profile's `credential_process`. The library splits it at each blank; the AWS tools split it as a shell does.
#[derive(Debug)]
pub(super) struct CredentialProcess;

/// The output, with the types that the library reads it with.
#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "Version")]
    _version: u32,
    #[serde(rename = "AccessKeyId")]
    _id: String,
    #[serde(rename = "SecretAccessKey")]
    _secret: String,
    #[serde(default, rename = "SessionToken")]
    _session_token: Option<String>,
    #[serde(default, rename = "Expiration")]
    expiration: Option<String>,
}

impl CommandExecute for CredentialProcess {
    async fn command_execute(&self, program: &str, arguments: &[&str]) -> Result<CommandOutput> {
        let words = shlex::split(&[&[program], arguments].concat().join(" ")).unwrap_or_default();
        let Some((program, arguments)) = words.split_first() else { return Err(failed(&"a quote is not closed")) };
        // Where the caller gives up, the program is of no use to anyone.
        let ended = Command::new(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await;
        let Output { status, stdout, stderr } = ended.map_err(|error| failed(&format_args!("{program}: {error}")))?;
        if status.success() {
            check(&stdout)?;
        }
        Ok(CommandOutput { status: status.code().unwrap_or(-1), stdout, stderr })
    }
}

/// Rejects an output that the library would misread: it quotes the value that it cannot read, which may be the secret, and takes an
/// `Expiration` that it cannot read for keys that do not expire.
fn check(printed: &[u8]) -> Result<()> {
    let printed: Printed = serde_json::from_slice(printed).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        failed(&format_args!("it does not print the JSON of credentials (line {line}, column {column})"))
    })?;
    match printed.expiration.map(|expiration| expiration.parse::<Timestamp>()) {
        Some(Err(_)) => Err(failed(&"its Expiration is not a time such as 2026-12-01T04:50:00Z")),
        _ => Ok(()),
    }
}

fn failed(reason: &dyn Display) -> Error {
    Error::unexpected(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_would_be_misread_is_rejected_without_its_secret() {
        let keys = r#""AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "5ECRET""#;
        for (printed, reason) in [
            (format!(r#"{{"Version": 1, {keys}}}"#), None),
            (format!(r#"{{"Version": 1, {keys}, "Expiration": "2026-12-01T04:50:00Z"}}"#), None),
            (format!(r#"{{"Version": 1, {keys}, "Expiration": "2026-12-01T04:50:00.5+01:00", "More": 1}}"#), None),
            (format!(r#"{{"Version": 1, {keys}, "Expiration": null, "SessionToken": null}}"#), None),
            (
                format!(r#"{{"Version": 1, {keys}, "Expiration": "tomorrow 5ECRET"}}"#),
                Some("its Expiration is not a time"),
            ),
            (format!(r#"{{"Version": 1, {keys}, "Expiration": 5}}"#), Some("does not print the JSON")),
            (format!(r#"{{"Version": "5ECRET", {keys}}}"#), Some("does not print the JSON")),
            (format!("{{{keys}}}"), Some("does not print the JSON")),
            ("5ECRET".to_owned(), Some("does not print the JSON of credentials (line 1, column ")),
            (String::new(), Some("does not print the JSON")),
        ] {
            let checked = check(printed.as_bytes()).map_err(|error| error.to_string());
            assert_eq!(checked.is_err(), reason.is_some(), "{printed}: {checked:?}");
            assert!(
                checked.err().is_none_or(|said| said.contains(reason.unwrap()) && !said.contains("5ECRET")),
                "{printed}"
            );
        }
    }
}
