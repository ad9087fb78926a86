//! The sources of AWS credentials: each that the AWS tools have signs the requests for the CORS of an upstream.

use crate::support::process::{Ended, run_to_end, s3cors};
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const EXPIRES: &str = "2099-01-01T00:00:00Z";

/// A server that keeps CORS, gives credentials away, and refuses as often as it was told to before it answers.
fn server(refusals: &[&'static str]) -> Upstream {
    let refusals = Arc::new(Mutex::new(refusals.to_vec()));
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            let (status, body) = if line.starts_with("PUT /latest/api/token ") {
                ("200 OK", "token".to_owned())
            } else if line.starts_with("GET /latest/meta-data/iam/security-credentials/ ") {
                ("200 OK", "role".to_owned())
            } else if line.starts_with("GET /latest/") || line.starts_with("GET /container ") {
                let keys =
                    r#""Code": "Success", "AccessKeyId": "test-key", "SecretAccessKey": "secret", "Token": "session""#;
                ("200 OK", format!(r#"{{{keys}, "Expiration": "{EXPIRES}"}}"#))
            } else if !refusals.lock().unwrap().is_empty() {
                (refusals.lock().unwrap().remove(0), String::new())
            } else {
                ("200 OK", allowing("https://app.example"))
            };
            served.send(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    })
}

/// Asks for the CORS of a bucket, with nothing of this machine's own credentials.
fn import(server: &Upstream, home: &Path, variables: &[(&str, String)]) -> Ended {
    let (rules, url) = (Rules::usual(), format!("http://{}", server.address));
    let directory = rules.path().to_str().unwrap();
    let mut command: Command = s3cors(&["import", "--upstream", &url, "--rules", directory, "--bucket", "photos"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().cloned());
    run_to_end(command, "")
}

fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    for (name, text) in files {
        fs::write(home.path().join(".aws").join(name), text).unwrap();
    }
    home
}

#[test]
fn every_source_of_the_aws_tools_is_one_here() {
    let keys = "aws_access_key_id = test-key\naws_secret_access_key = secret\n";
    let profile = format!("[default]\naws_access_key_id = other\naws_secret_access_key = x\n[work]\n{keys}");
    let in_config = format!("[profile work]\n{keys}");
    let json = r#"{"Version": 1, "AccessKeyId": "test-key", "SecretAccessKey": "secret", "SessionToken": "session"}"#;
    let process = format!("[profile work]\ncredential_process = echo '{json}'\n");
    let in_environment =
        [("AWS_ACCESS_KEY_ID", "test-key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_SESSION_TOKEN", "session")];
    let of_profile = [("AWS_PROFILE", "work")];
    // SERVER is the server's own URL.
    let of_container = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVER/container")];
    let of_instance = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "SERVER")];
    let cases = [
        ("environment", ("credentials", profile.as_str()), &in_environment[..], true),
        ("credentials file", ("credentials", &profile), &of_profile, false),
        ("configuration file", ("config", &in_config), &of_profile, false),
        ("process", ("config", &process), &of_profile, true),
        ("container", ("config", ""), &of_container, true),
        ("instance", ("config", ""), &of_instance, true),
    ];
    for (source, file, variables, has_session) in cases {
        let (server, home) = (server(&[]), home(&[file]));
        let url = format!("http://{}", server.address);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.replace("SERVER", &url))).collect();
        let ended = import(&server, home.path(), &variables);
        assert_eq!(ended.code, Some(0), "{source}: {ended:?}");
        let asked = server.received().pop().unwrap();
        let authorization = asked.header("authorization").unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=test-key/"), "{source}: {authorization}");
        assert_eq!(asked.header("x-amz-security-token"), has_session.then(|| "session".to_owned()), "{source}");
        assert_eq!(authorization.contains("x-amz-security-token"), has_session, "{source}: {authorization}");
    }
}

#[test]
fn without_credentials_the_error_says_so() {
    let (server, home) = (server(&[]), home(&[]));
    let ended = import(&server, home.path(), &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("no AWS credentials"), "{}", ended.stderr);
    assert!(server.received().is_empty());
}

#[test]
fn what_may_pass_is_asked_again() {
    let keys = [("AWS_ACCESS_KEY_ID", "test-key".to_owned()), ("AWS_SECRET_ACCESS_KEY", "secret".to_owned())];
    for (refusals, code, asked) in [
        (&["503 Slow Down", "500 Internal Server Error"][..], 0, 3),
        (&["503 Slow Down"; 9], 1, 3),
        (&["429 Too Many Requests"], 0, 2),
        (&["501 Not Implemented"], 1, 1),
        (&["403 Forbidden"], 1, 1),
    ] {
        let (server, home) = (server(refusals), home(&[]));
        let ended = import(&server, home.path(), &keys);
        assert_eq!((ended.code, server.received().len()), (Some(code), asked), "{refusals:?}: {ended:?}");
    }
}
