//! Variables of the environment that look like settings and are none.

use super::Cli;
use clap::CommandFactory;
use s3cors_proxy::config::nearest;
use std::collections::BTreeSet;
use std::ffi::OsStr;

/// The beginning of every variable of this program.
const PREFIX: &str = "S3CORS_";

/// Says which variables of the environment are set in vain. No value is shown.
pub(super) fn unknown_variables() -> Vec<String> {
    let known = known();
    let set = std::env::vars_os().filter(|(name, value)| {
        let name = name.to_string_lossy();
        let is_ours = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
        // One that is empty is not set.
        is_ours && !value.is_empty() && !known.contains(&*name) && !is_injected(&name, value)
    });
    let mut names: Vec<_> = set.map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names.iter().map(|name| told(name, &known)).collect()
}

/// The variables of all commands.
fn known() -> BTreeSet<String> {
    let command = Cli::command();
    let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    arguments.filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned())).collect()
}

fn told(name: &str, known: &BTreeSet<String>) -> String {
    let shown = name.escape_debug();
    match meant(name, known) {
        Some(meant) => format!("{shown} is not a variable of s3cors; did you mean {meant}?"),
        None => {
            let all = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!(
                "{shown} is not a variable of s3cors, and nothing reads it; there are {all}, and other settings are in the file"
            )
        }
    }
}

/// The variable that someone meant: one that is written almost like it, or one with a word more or less.
fn meant<'k>(name: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let own = name.get(PREFIX.len()..).unwrap_or_default().to_ascii_uppercase();
    let all = || known.iter().filter_map(|known| Some((known.as_str(), known.strip_prefix(PREFIX)?)));
    let near = nearest(&own, all().map(|(_, rest)| rest));
    let is_longer = |rest: &str| own.strip_prefix(rest).is_some_and(|more| more.starts_with('_'));
    let is_shorter = |rest: &str| rest.strip_suffix(&*own).is_some_and(|more| more.ends_with('_'));
    all().find(|(_, rest)| Some(*rest) == near || is_longer(rest) || is_shorter(rest)).map(|(known, _)| known)
}

/// Returns true for what Kubernetes, and Docker with links, set for a Service whose name begins with `s3cors`.
fn is_injected(name: &str, value: &OsStr) -> bool {
    let rest = name.strip_prefix("S3CORS").unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if rest.ends_with("_SERVICE_HOST") || rest.ends_with("_SERVICE_PORT") || rest.contains("_SERVICE_PORT_") {
        return true;
    }
    // A port that someone sets is a number, and this is a URL.
    if rest.ends_with("_PORT") && !rest.contains("_PORT_") {
        return ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|start| value.as_encoded_bytes().starts_with(start.as_bytes()));
    }
    let Some((_, port)) = rest.split_once("_PORT_") else { return false };
    let mut parts = port.split('_');
    let (number, protocol, last) = (parts.next(), parts.next(), parts.next());
    number.is_some_and(is_number)
        && matches!(protocol, Some("TCP" | "UDP" | "SCTP"))
        && matches!(last, None | Some("PROTO" | "PORT" | "ADDR"))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_almost_one_is_told_with_the_one_that_is_meant() {
        let known = known();
        for (name, variable) in [
            ("S3CORS_UPSTEAM", Some("S3CORS_UPSTREAM")),
            ("S3CORS_UPSTREAM_URL", Some("S3CORS_UPSTREAM")),
            ("S3CORS_LISTEN_ADDRESS", Some("S3CORS_LISTEN")),
            ("S3CORS_LISTENER", Some("S3CORS_LISTEN")),
            ("S3CORS_DOMAINS", Some("S3CORS_DOMAIN")),
            ("S3CORS_CONFIG_FILE", Some("S3CORS_CONFIG")),
            ("S3CORS_TOKEN_FILE", Some("S3CORS_ADMIN_TOKEN_FILE")),
            ("s3cors_rules", Some("S3CORS_RULES")),
            ("S3CORS_LOG_LEVEL", None),
            ("S3CORS_THREADS", None),
            ("S3CORS_", None),
        ] {
            assert_eq!(meant(name, &known), variable, "{name}");
        }
    }

    #[test]
    fn a_variable_of_a_service_is_no_mistake() {
        for (name, value, is_one) in [
            ("S3CORS_SERVICE_HOST", "10.0.0.1", true),
            ("S3CORS_MY_SERVICE_PORT_HTTP", "8080", true),
            ("S3CORS_PORT", "tcp://10.0.0.1:8080", true),
            ("S3CORS_PORT", "8080", false),
            ("S3CORS_LISTEN_PORT", "8080", false),
            ("S3CORS_PORT_8080_TCP", "tcp://10.0.0.1:8080", true),
            ("S3CORS_EDGE_PORT_8080_UDP_ADDR", "10.0.0.1", true),
            ("S3CORS_PORT_8080_TCP_NAME", "x", false),
            ("S3CORS_PORT_HTTP", "x", false),
            ("S3CORS_UPSTEAM", "http://minio:9000", false),
        ] {
            assert_eq!(is_injected(name, OsStr::new(value)), is_one, "{name}");
        }
    }
}
