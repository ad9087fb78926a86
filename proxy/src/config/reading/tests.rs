//! The errors of configuration files.

use super::*;
use std::path::Path;

fn error(text: &str) -> String {
    ConfigFile::parse(text, Path::new("s3cors.yaml")).unwrap_err().to_string()
}

#[test]
fn every_error_has_its_place() {
    for (text, place, about) in [
        ("admin: 127.0.0.1:1\nlisen: 127.0.0.1:2\n", "s3cors.yaml:2:1:", "lisen"),
        ("upstream:\n  url: minio:9000\n", "s3cors.yaml:2:8:", "http://"),
        ("upstream: minio:9000\n", "s3cors.yaml:1:11:", "http://"),
        ("upstream:\n- http://minio\n- minio\n", "s3cors.yaml:3:3:", "http://"),
        ("upstream: {url: 'http://minio{1...4}:9000'}\n", "s3cors.yaml:1:17:", "list them one by one"),
        ("upstream: unix:/run/minio.sock\n", "s3cors.yaml:1:11:", "Unix socket"),
        ("listen: unix:/run/s3cors.sock\n", "s3cors.yaml:1:9:", "Unix socket"),
        // Of a number the parser gives the place of its key.
        ("admin: ':1'\nlisten: 8080\n", "s3cors.yaml:2:", ":PORT for all"),
        ("admin: ':1'\nlimits: 5\n", "s3cors.yaml:2:", "object"),
        ("log: debug\n", "s3cors.yaml:1:6:", "object"),
        ("threads: 1\nthreads: 2\n", "s3cors.yaml:2:1:", "twice"),
        ("upstream:\n  timeouts:\n    conect: 3s\n", "s3cors.yaml:3:5:", "conect"),
        ("log: {level: loud}\n", "s3cors.yaml:1:14:", "loud"),
        ("shutdown: {drain: 25}\n", "s3cors.yaml:1:19:", "unit"),
        ("limits: {header_size: many}\n", "s3cors.yaml:1:23:", "64KiB"),
        ("upstream: {balance: random}\n", "s3cors.yaml:1:21:", "random"),
        ("presigned: {head: by-get}\n", "s3cors.yaml:1:19:", "as_signed, by_get"),
        ("tls: {post_quantum: hybrid}\n", "s3cors.yaml:1:21:", "on, off"),
        ("tls: {certificate: a.pem}\n", "s3cors.yaml:1:7:", "post_quantum"),
        ("upstream: {host: 'http://x'}\n", "s3cors.yaml:1:18:", "preserve"),
        ("upstream: {health_check: {interval: 0s}}\n", "s3cors.yaml:1:37:", "longer than 0"),
        ("upstream: {health_check: {path: x}}\n", "s3cors.yaml:1:33:", "begins with /"),
        ("threads: 0\n", "s3cors.yaml:1:10:", "at least 1"),
        ("limits: {connections: }\n", "s3cors.yaml:1:21:", "leave the key out"),
        ("limits:\n  header_size:\n", "s3cors.yaml:2:14:", "leave the key out"),
        ("rules: {path: ~}\n", "s3cors.yaml:1:15:", "leave the key out"),
        ("admin: [\n", "s3cors.yaml:", ""),
    ] {
        let message = error(text);
        assert!(message.starts_with(place) && message.contains(about), "{text:?}: {message}");
    }
}

#[test]
fn a_message_is_whole() {
    for (text, message) in [
        ("drivers: a at line 2\n", "unknown variant `a at line 2`, expected one of own, pingora"),
        ("threads: 1\nthreads: 2\n", "threads is here twice; remove one"),
        ("log:\n  level: info\n  level: warn\n", "level is here twice; remove one"),
        ("rules: {path: &a x}\nlog: *a\n", "log is an object; write `log: {level: x}`"),
        ("log: debug\n", "log is an object; write `log: {level: debug}`"),
        ("rules: ./rules\n", "rules is an object; write `rules: {path: ./rules}`"),
        ("rules: https://user:5ECRET@host\n", "rules is an object; write `rules: {path: https://...@host}`"),
        ("limits: 5\n", "limits is an object; write `limits: {connections: 5}`"),
        ("shutdown: [25s]\n", "invalid type: sequence, expected an object, such as `shutdown: {drain: ...}`"),
        ("upstream: {tls: true}\n", "tls is an object; write `tls: {ca_file: true}`"),
        ("upstream: {timeouts: 3s}\n", "timeouts is an object; write `timeouts: {connect: 3s}`"),
        ("upstream: {keepalive: 3}\n", "keepalive is an object; write `keepalive: {connections: 3}`"),
        ("upstream: {health_check: /x}\n", "health_check is an object; write `health_check: {path: /x}`"),
        ("listen: {address: ':1', tls: x}\n", "tls is an object; write `tls: {certificate: x}`"),
        ("debug\n", "settings are expected here, each as `key: value`"),
        (
            "upstream: 9000\n",
            "invalid type: integer `9000`, expected a URL, a list of URLs, or an object with the key `url`",
        ),
    ] {
        assert!(error(text).ends_with(&format!(": {message}")), "{text:?}: {}", error(text));
    }
}

#[test]
fn an_upstream_is_also_just_its_url_or_a_list_of_them() {
    for (text, urls) in [
        ("upstream: http://minio:9000\n", &["http://minio:9000"][..]),
        ("upstream: [http://a, 'https://b']\n", &["http://a:80", "https://b:443"]),
        ("upstream:\n  url: http://minio:9000\n", &["http://minio:9000"]),
        ("upstream:\n", &[]),
    ] {
        let file = ConfigFile::parse(text, Path::new("x")).unwrap();
        let read: Vec<_> = file.upstream.url.0.iter().map(ToString::to_string).collect();
        assert_eq!(read, urls, "{text:?}");
    }
}

#[test]
fn a_message_shows_no_password() {
    for (setting, shown) in [
        ("url: 'http://user:5ECRET@minio:9000'", "\"http://...@minio:9000\": an upstream has no user"),
        ("url: 'https://user:5ECRET@5ECRET@minio'", "\"https://...@minio\""),
        ("url: 'http://user:5ECRET/:5ECRET@'", "\"http://...@\""),
        ("url: 'user:5ECRET@minio'", "\"...@minio\""),
        ("url: ['http://a', 'ftp://5ECRET@b']", "\"...@b\""),
        ("host: 'user:5ECRET@minio'", "\"...@minio\""),
        ("tls: {server_name: 'https://5ECRET@minio'}", "\"https://...@minio\""),
    ] {
        let message = error(&format!("upstream: {{{setting}}}"));
        assert!(message.contains(shown) && !message.contains("5ECRET"), "{message}");
    }
}

#[test]
fn a_value_that_can_only_be_a_mistake_is_an_error() {
    for (section, key, value, about) in [
        ("rules", "poll", "0s", "longer than 0"),
        ("limits", "connections", "0", "at least 1"),
        ("limits", "header_size", "0B", "more than 0"),
        ("limits", "bodies", "0B", "more than 0"),
        ("limits", "interim", "0", "at least 1"),
        ("limits", "response_head", "0B", "more than 0"),
        ("limits", "header_read", "0s", "longer than 0"),
        ("limits", "idle", "0s", "longer than 0"),
        ("limits", "body_read", "0s", "longer than 0"),
        ("limits", "body_write", "0ms", "longer than 0"),
        ("upstream: {timeouts", "connect", "0s", "longer than 0"),
        ("upstream: {timeouts", "read", "0s", "longer than 0"),
        ("upstream: {timeouts", "write", "0s", "longer than 0"),
        ("upstream: {keepalive", "idle", "0s", "longer than 0"),
        ("upstream: {keepalive", "user_timeout", "0s", "longer than 0"),
        ("upstream: {keepalive", "user_timeout", "59s", "shorter than timeouts.write (60s)"),
        ("upstream: {timeouts: {write: 5s}, keepalive", "user_timeout", "4900ms", "shorter than timeouts.write (5s)"),
        ("limits", "upstream_connections", "0", "at least 1"),
    ] {
        let before = format!("{section}: {{{key}: ");
        let text = format!("{before}{value}}}{}\n", if section.contains('{') { "}" } else { "" });
        let message = error(&text);
        let place = format!("s3cors.yaml:1:{}: ", before.len() + 1);
        assert!(message.starts_with(&place) && message.contains(about), "{text:?}: {message}");
    }
}

#[test]
fn zero_is_legal_where_it_turns_something_off() {
    for text in [
        "upstream: {keepalive: {connections: 0}}",
        "metrics: {buckets: 0, rejected_origins: 0}",
        "observe: {recent: 0}",
        "shutdown: {drain: 0s, delay: 0s}",
    ] {
        assert!(ConfigFile::parse(text, Path::new("x")).is_ok(), "{text:?}");
    }
}

#[test]
fn an_empty_file_is_all_defaults() {
    for text in [
        "",
        "# a comment\n",
        "log: {}\n",
        "log:\n",
        "upstream:\n  tls:\n  timeouts:\n",
        "listen:\n",
        "threads:\n",
        "cors: {vary: }\n",
    ] {
        assert!(ConfigFile::parse(text, Path::new("x")).is_ok(), "{text:?}");
    }
}

/// The places and the words of all errors, in one line each.
fn errors(text: &str) -> Vec<String> {
    let errors = ConfigFile::parse(text, Path::new("f")).unwrap_err();
    errors.into_iter().map(|error| error.to_string()).collect()
}

#[test]
fn every_error_is_found_and_none_that_follows_from_another() {
    for (text, expected) in [
        ("lisen: x\nthreads: z\n", &["f:1:1: unknown field `lisen`", "f:2:10: threads: "][..]),
        ("log: {levle: info, level: loud}\nthreads: 0", &["f:1:7: log: unknown", "f:1:27: log.level: ", "f:2:10: "]),
        // What is left of a section lacks what was wrong.
        ("listen: {addres: ':1'}\nthreads: 0\n", &["f:1:10: listen: unknown field `addres`", "f:2:10: threads: "]),
        ("listen:\n- addres: ':1'\n- x\n", &["f:2:3: listen[0]: unknown", "f:3:3: listen[1]: "]),
        ("listen: {address: ':1', tls: {certificate_file: a, key: b}}\n", &["f:1:31: listen.tls: unknown"]),
        ("listen: {address: ':1', tls: {certificate: a}}\nthreads: 0", &["f:1:31: listen.tls: missing", "f:2:10: "]),
        (
            "domains: [a b, ok, '*.c',\n  d e]\n",
            &["f:1:11: domains[0]: ", "f:1:20: domains[2]: ", "f:2:3: domains[3]: "],
        ),
        ("hosts:\n  a b: {bucket: x}\n  c: {bucket: y, x: z}\n", &["f:2:3: ", "f:3:18: hosts.c: unknown field `x`"]),
        ("threads: {a: 1}\nlog: x\n", &["f:1:10: threads: invalid type", "f:2:6: log is an object"]),
        ("threads:\n  a: 1\nlog:\n  level: x\n", &["f:2:3: threads: invalid type", "f:4:10: log.level: "]),
        ("threads: 1\nthreads: x\nrules: {poll: 0s}\n", &["f:2:1: threads is here twice", "f:3:15: rules.poll: "]),
        (
            "upstream: {url: x, keepalive: {user_timeout: 1s}}\n",
            &["f:1:17: upstream.url: ", "f:1:46: upstream.keepalive.user_timeout: 1s is"],
        ),
        (
            "# comment\n\nrules:\n  path: ''  # here\n  poll: 5\n\nlog:\n",
            &["f:4:9: rules.path: ", "f:5:9: rules.poll: "],
        ),
        ("listen: [\n  ':1',\n  x, # one\n  ':2'\n]\nadmin: z\n", &["f:3:3: listen[1]: ", "f:6:8: admin: "]),
        ("log: {level: |\n    loud\n  , access: 3}\nthreads: 0\n", &["f:1:"]),
        // Of what is not YAML only the first error is known.
        ("threads: 0\nadmin: [\n", &["f:1:10: \"0\": must be at least 1"]),
        ("nothing\n", &["f:1:1: settings are expected here"]),
    ] {
        let errors = errors(text);
        assert_eq!(errors.len(), expected.len(), "{text:?}: {errors:#?}");
        for (error, expected) in errors.iter().zip(expected) {
            assert!(error.starts_with(expected), "{text:?}: {expected}: {errors:#?}");
        }
    }
}

#[test]
fn there_is_an_end_to_the_errors_of_a_file() {
    let text: String = (0..200).map(|number| format!("unknown-{number}: x\n")).collect();
    assert_eq!(errors(&text).len(), MOST_ERRORS);
}

#[test]
fn what_is_valid_in_a_file_is_read_all_the_same() {
    let (file, errors) = parse_valid("threads: 0\ndomains: ['*.a', b]\nadmin: ':1'\n", Path::new("f"));
    let file = file.unwrap();
    assert_eq!((errors.len(), file.domains().len(), file.admin().address.port()), (2, 1, 1));
    let (file, errors) = parse_valid("admin: [", Path::new("f"));
    assert!(file.is_none() && errors.len() == 1, "{errors:?}");
}
