//! curl, for what only a real client of HTTP/2 shows.

use super::DEADLINE;
use super::http::Response;
use super::process::run_to_end;
use std::process::Command;

/// What curl got.
#[derive(Debug)]
pub struct Fetched {
    /// The protocol that the answer came over, as the status line says it: `HTTP/2` or `HTTP/1.1`.
    pub protocol: String,
    pub response: Response,
}

/// Runs curl with these arguments and this on its standard input; a transfer that fails is a failure of the test.
pub fn curl(arguments: &[&str], input: &str) -> Fetched {
    let ended = try_curl(arguments, input);
    assert_eq!(ended.code, Some(0), "curl {arguments:?}: {ended:?}");
    parse(&ended.stdout)
}

/// The same, where a failure may be what is wanted.
pub fn try_curl(arguments: &[&str], input: &str) -> super::process::Ended {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--include", "--max-time"]).arg(DEADLINE.as_secs().to_string());
    command.args(arguments);
    run_to_end(command, input)
}

/// The last head of curl's output, and the body behind it.
fn parse(output: &str) -> Fetched {
    let mut rest = output;
    loop {
        let (head, body) = rest.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {output:?}"));
        let mut lines = head.split("\r\n");
        let mut status = lines.next().unwrap().split(' ');
        let (protocol, code): (_, u16) = (status.next().unwrap().to_owned(), status.next().unwrap().parse().unwrap());
        if code < 200 {
            rest = body;
            continue;
        }
        let headers = lines.map(|line| line.split_once(": ").unwrap_or((line, "")));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        return Fetched { protocol, response: Response { status: code, headers, body: body.into() } };
    }
}
