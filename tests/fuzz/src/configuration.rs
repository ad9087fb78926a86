//! What holds for the text of every configuration file, as assertions.

pub mod samples;

use crate::config::{Config, ConfigError, ConfigFile, ConfigFileError, UpstreamConfig, UpstreamUrl, without_user};
use crate::s3::domain::Domain;
use std::fmt::Debug;
use std::str::FromStr;

/// Where an error is, and what it says.
#[derive(Clone, Debug, PartialEq)]
struct Invalid {
    line: u64,
    column: u64,
    message: String,
}

impl Invalid {
    /// The parser knows no place for some errors; then it is the beginning of the file.
    fn is_without_place(&self) -> bool {
        (self.line, self.column) == (1, 1)
    }
}

fn parse(text: &str) -> Result<ConfigFile, Invalid> {
    ConfigFile::parse(text, "s3cors.yaml".as_ref()).map_err(|errors| {
        let mut all: Vec<_> = errors.into_iter().map(invalid).collect();
        all.iter().for_each(|error| place(text, error));
        all.swap_remove(0)
    })
}

fn invalid(error: ConfigFileError) -> Invalid {
    match error {
        ConfigFileError::Invalid { line, column, message, .. } => Invalid { line, column, message },
        ConfigFileError::Unreadable { .. } => panic!("{error}: nothing was read"),
    }
}

/// The settings as text, which is how two files are compared.
fn settings(text: &str) -> Result<String, Invalid> {
    parse(text).map(|file| format!("{file:?}"))
}

/// Whether the text is a valid file.
pub fn is_valid(text: &str) -> bool {
    parse(text).is_ok()
}

/// A file is read or rejected with a place; a line more, which means nothing, changes nothing; a key more, which is not one, is an error.
pub fn file(text: &str) {
    let first = settings(text);
    assert_eq!(settings(text), first, "{text:?}");
    in_front(text, &first);
    line_ends(text, &first);
    match &first {
        Ok(settings) => {
            at_the_end(text, settings);
            meaning(text);
        }
        Err(_) => {}
    }
}

/// An error names a character of the text or the end of a line, and has one line of text.
fn place(text: &str, Invalid { line, column, message }: &Invalid) {
    let about = || format!("{text:?}: {line}:{column}: {message:?}");
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    let index = usize::try_from(*line).unwrap().checked_sub(1).unwrap_or_else(|| panic!("{}", about()));
    let found = lines.get(index).unwrap_or_else(|| panic!("{}", about()));
    assert!((1..=found.chars().count() as u64 + 1).contains(column), "{}", about());
    assert!(!message.trim().is_empty() && !message.chars().any(char::is_control), "{}", about());
}

/// A comment in front moves the place of an error by a line.
fn in_front(text: &str, first: &Result<String, Invalid>) {
    // Only the first character of a file can be a byte order mark.
    if text.starts_with('\u{feff}') {
        return;
    }
    let after = settings(&format!("# comment\n{text}"));
    let moved = first.clone().map_err(|error| Invalid { line: error.line + 1, ..error });
    let same = matches!((first, &after), (Err(first), Err(after)) if first == after && first.is_without_place());
    assert!(after == moved || same, "{text:?}: {first:?}, then {after:?}");
}

/// A file from Windows is read as any other.
fn line_ends(text: &str, first: &Result<String, Invalid>) {
    if !text.contains('\r') {
        assert_eq!(&settings(&text.replace('\n', "\r\n")), first, "{text:?}");
    }
}

/// What a valid file takes as one more line.
fn at_the_end(text: &str, before: &str) {
    // The end of a line without one may be the end of a block, which is a part of the value.
    let is_ended = text.is_empty() || text.ends_with(['\n', '\r']);
    let with = |line: &str| format!("{text}{}{line}\n", if is_ended { "" } else { "\n" });
    let commented = settings(&with("# comment"));
    assert!(commented.is_ok(), "{text:?}: {commented:?}");
    assert!(!is_ended || commented.as_deref() == Ok(before), "{text:?}: {before}, then {commented:?}");
    // A block scalar that is tagged as null takes each line in.
    assert!(text.contains("!!null") || parse(&with("unknown: 1")).is_err(), "an unknown key: {text:?}");
    for key in ["metrics:", "threads:"] {
        if parse(&with(key)).is_ok() {
            let twice = with(&format!("{key}\n{key}"));
            assert!(parse(&twice).is_err(), "the same key twice: {twice:?}");
        }
    }
}

/// What the settings of a valid file mean is valid, too.
fn meaning(text: &str) {
    let config = match Config::from_file(parse(text).unwrap()) {
        Ok(config) => config,
        Err(errors) => {
            for error in errors.0 {
                assert!(!error.to_string().is_empty());
                match error {
                    ConfigError::File(error) => panic!("{text:?}: valid, then {error}"),
                    ConfigError::NoUpstream
                    | ConfigError::UpstreamBesideUpstreams
                    | ConfigError::DefaultUpstream { .. }
                    | ConfigError::TwoRules { .. }
                    | ConfigError::HalfAStore
                    | ConfigError::NoPlaceForRules
                    | ConfigError::TwoDrivers
                    | ConfigError::NeedsOwnDrivers { .. }
                    | ConfigError::OwnListener { .. }
                    | ConfigError::AddressConflict { .. } => {}
                }
            }
            return;
        }
    };
    let addresses = config.listen.iter().map(|listener| listener.address).chain([config.admin.address]);
    let mut taken: Vec<_> = addresses.filter(|address| address.port() != 0).collect();
    taken.sort();
    taken.dedup();
    let any_port = config.listen.iter().filter(|listener| listener.address.port() == 0).count();
    assert_eq!(
        taken.len() + any_port + usize::from(config.admin.address.port() == 0),
        config.listen.len() + 1,
        "{text:?}"
    );
    assert!(!config.listen.is_empty() && config.all_upstreams().next().is_some(), "{text:?}");
    for upstream in config.all_upstreams() {
        upstream_is_whole(upstream, text);
    }
    for domain in config.domains.iter().chain(&config.admin.hosts) {
        again::<Domain>(domain.as_str(), domain);
    }
    let limits = config.limits;
    let times = [limits.header_read, limits.idle, limits.body_read, limits.body_write, config.rules.poll];
    assert!(!times.iter().any(|time| time.is_zero()), "{text:?}");
    let sizes = [limits.header_size.0, limits.heads.0, limits.bodies.0, limits.response_head.0];
    let counts = [limits.connections, limits.interim, config.threads];
    assert!(sizes.iter().chain(&counts).all(|count| *count > 0));
}

/// An upstream has an address, its values read as they are shown, and no time is 0.
fn upstream_is_whole(upstream: &UpstreamConfig, text: &str) {
    assert!(!upstream.urls().is_empty(), "{text:?}");
    for url in upstream.urls() {
        again::<UpstreamUrl>(&url.to_string(), url);
        let scheme = if url.is_tls() { "https" } else { "http" };
        again::<UpstreamUrl>(&format!("{scheme}://{}", url.authority()), url);
    }
    for host in upstream.host.as_slice() {
        again(&host.to_string(), host);
    }
    let times = [upstream.timeouts.connect, upstream.timeouts.read, upstream.timeouts.write, upstream.keepalive.idle];
    assert!(!times.iter().any(|time| time.is_zero()), "{text:?}");
}

/// What is shown of a value reads as that value.
fn again<T: FromStr<Err: Debug> + Debug + PartialEq>(text: &str, value: &T) {
    assert_eq!(&text.parse::<T>().unwrap(), value, "{text:?}");
}

/// An error shows all of a value that is wrong, but for what may be a secret of a URL.
pub fn value(text: &str) {
    let value: String = text.chars().filter(|char| matches!(char, ' '..='~') && *char != '\'').collect();
    if let Err(error) = parse(&format!("log: {{level: '{value}'}}")) {
        let shown = without_user(&value);
        assert!(error.message.contains(&shown), "{value:?}: {error:?}");
    }
}

/// No error shows the password of an upstream's URL.
pub fn password(rest: &str) {
    const PASSWORD: &str = "5ECRET";
    // In single quotes, YAML has no escapes; a line break would be a space.
    let rest = rest.replace(['\'', '\n', '\r'], "");
    if rest.contains(PASSWORD) {
        return;
    }
    for key in ["url", "host"] {
        for value in [format!("http://user:{PASSWORD}@{rest}"), format!("https://{rest}:{PASSWORD}@minio:9000")] {
            let text = format!("upstream: {{{key}: '{value}'}}");
            if let Err(error) = parse(&text) {
                assert!(!error.message.contains(PASSWORD), "{text:?}: {error:?}");
            }
        }
    }
}
