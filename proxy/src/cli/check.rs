//! `s3cors check`: every error and warning in configuration and rules, each with its place.

mod servers;
mod text;

use super::parse::flags_of_environment;
use super::progress::LongWork;
use super::terminal::has_colour;
use super::variables::unknown_variables;
use super::{Format, fail, print};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use s3_cors::{CorsConfiguration, Document, MAX_DOCUMENT_LENGTH, Position, Profile, Warning};
use s3cors_proxy::config::{
    Config, ConfigError, ConfigFile, ConfigFileError, Drivers, Flags, SignWarning, SignedPrefix, UpstreamTls,
    told_with_place,
};
use s3cors_proxy::rules::{Checked, Directory, Remark, Source, SourceError, Store, any_page_reads, check, source_of};
use s3cors_proxy::serve::{ServeError, expiring, obstacles};
use s3cors_proxy::servers::KnownServer;
use serde::Serialize;
use servers::OfServer;
use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// In place of a file, for what is wrong with a variable.
const ENVIRONMENT: &str = "<environment>";

/// In place of a file, for what is on standard input.
const STANDARD_INPUT: &str = "<stdin>";

const HELP: &str = "\
Examples:
  s3cors check rules
  s3cors check --strict --config /etc/s3cors/s3cors.yaml
  s3cors check --profile uppy --server rustfs rules/photos.xml
  kubectl get configmap rules -o jsonpath='{.data.photos\\.xml}' | s3cors check -

Exit status:
  0  valid
  1  not valid; with --strict also a warning, or a difference of --server
  2  wrong usage";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Check {
    /// Configuration file, read as `serve` reads it; its rules are checked too [default: the one that S3CORS_CONFIG names, unless files
    /// are given]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// Client that the rules of each bucket must serve: what it could not do is a warning; repeatable
    #[arg(long = "profile", value_name = "NAME", value_parser = profile())]
    profiles: Vec<Profile>,
    /// Server of which to say what it alone would do otherwise with these rules
    #[arg(long, value_name = "NAME", value_parser = known_server())]
    server: Option<KnownServer>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Rule files or directories, - for standard input [default: rules.path of the configuration, or conf/rules]
    #[arg(value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
}

fn profile() -> impl TypedValueParser<Value = Profile> {
    // Each name that is listed is one of `Profile::ALL`, from which it is parsed again.
    let names = Profile::ALL.map(|profile| {
        let help = format!("{}, {}", profile.evidence().client, profile.evidence().source);
        PossibleValue::new(profile.as_str()).aliases(profile.aliases()).help(help)
    });
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Profile>())
}

fn known_server() -> impl TypedValueParser<Value = KnownServer> {
    let names = KnownServer::ALL.map(|server| PossibleValue::new(server.as_str()).help(server.title()));
    PossibleValuesParser::new(names).map(|name| {
        // Each name that is listed is one of these.
        KnownServer::ALL.into_iter().find(|server| server.as_str() == name).unwrap_or(KnownServer::Minio)
    })
}

/// The result; serialized as it is for `--format json`.
#[derive(Default, Serialize)]
struct Findings {
    valid: bool,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// Good to know; also under `--strict` no reason to fail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Finding>,
    /// The documents that were read.
    files: Vec<PathBuf>,
    /// What is beside them and was not read.
    skipped: Vec<Skipped>,
    /// The differences of a server, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<OfServer>,
    #[serde(skip)]
    documents: Vec<(PathBuf, CorsConfiguration)>,
}

#[derive(Serialize)]
struct Skipped {
    file: PathBuf,
    reason: &'static str,
}

#[derive(Serialize)]
struct Finding {
    file: PathBuf,
    line: u64,
    column: u64,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What to write instead, where that is known.
    hint: Option<String>,
    /// The message is S3's own sentence about all such errors, and the detail says more.
    #[serde(skip)]
    has_message_of_s3: bool,
}

impl Check {
    pub(super) fn run(self) -> ExitCode {
        let mut findings = Findings::default();
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        let is_standard_input = |path: &Path| path == Path::new("-");
        for path in self.paths.iter().filter(|path| !is_standard_input(path)) {
            sources.push(Box::new(Directory::new(path.clone())));
        }
        if self.paths.iter().any(|path| is_standard_input(path)) {
            findings.add(standard_input(&self.profiles));
        }
        if self.config.is_some() || self.paths.is_empty() {
            let rules = findings.add_config(self.config.as_deref());
            sources.extend(rules.into_iter().filter(|_| self.paths.is_empty()));
        }
        for source in &sources {
            let _checking = LongWork::of(&format_args!("checking {}", source.path().display()));
            findings.add(check(&**source, &self.profiles));
        }
        findings.server = self.server.map(|server| OfServer::new(server, &findings.documents));
        let differs = findings.server.as_ref().is_some_and(OfServer::differs);
        findings.valid = findings.errors.is_empty() && ((findings.warnings.is_empty() && !differs) || !self.strict);
        let text = match self.format {
            // Fails on a path that is not Unicode, which JSON cannot express.
            Format::Json => serde_json::to_string_pretty(&findings).map(|text| text + "\n"),
            Format::Text => Ok(findings.to_text(has_colour(&std::io::stdout()))),
        };
        match text {
            Ok(text) if findings.valid => print(&text),
            Ok(text) => {
                print(&text);
                ExitCode::FAILURE
            }
            Err(error) => fail(&format!("cannot write the result as JSON: {error}")),
        }
    }
}

/// The document on standard input.
fn standard_input(profiles: &[Profile]) -> Checked {
    let path = PathBuf::from(STANDARD_INPUT);
    let mut checked = Checked { files: vec![path.clone()], ..Checked::default() };
    let mut bytes = Vec::new();
    let _reading = LongWork::of_input();
    if let Err(error) = std::io::stdin().take(MAX_DOCUMENT_LENGTH as u64 + 1).read_to_end(&mut bytes) {
        checked.errors.push(SourceError::Unreadable { path, reason: error.to_string() });
        return checked;
    }
    match Document::parse(&bytes, s3_cors::Format::detect(&bytes)) {
        Ok(document) => checked.add(&path, &document, profiles),
        Err(errors) => {
            checked.warnings = errors.warnings().iter().map(|warning| (path.clone(), warning.clone())).collect();
            checked.errors.push(SourceError::Invalid { path, errors });
        }
    }
    checked
}

impl Findings {
    fn add(&mut self, checked: Checked) {
        self.warnings.extend(checked.warnings.iter().map(|(path, warning)| Finding::of_warning(path, warning)));
        self.notes.extend(checked.notes.iter().map(|(path, note)| Finding::of_warning(path, note)));
        for error in checked.errors {
            self.errors.extend(Finding::of_file(error));
        }
        for remark in checked.remarks {
            self.add_remark(remark);
        }
        self.files.extend(checked.files);
        self.documents.extend(checked.documents);
    }

    fn add_remark(&mut self, remark: Remark) {
        let code = match remark {
            Remark::PassedOver(file, why) => return self.skipped.push(Skipped { file, reason: why.as_str() }),
            Remark::NoBucketName(_) => "NoBucketName",
            Remark::NoRules(_) => "NoRules",
        };
        let warning = Finding::whole(remark.path(), code, remark.message().to_owned());
        self.warnings.push(warning.with_hint(remark.hint().map(Cow::Borrowed)));
    }

    /// Adds what `serve` would refuse about a file, or about the environment alone. Returns the sources of its rules, live and shadow;
    /// none where the file cannot be read.
    fn add_config(&mut self, file: Option<&Path>) -> Vec<Box<dyn Source>> {
        let flags = flags_of_environment(file);
        let unknown = unknown_variables().into_iter();
        self.warnings.extend(unknown.map(|said| Finding::whole(Path::new(ENVIRONMENT), "UnknownVariable", said)));
        let Some(file) = file.map(Path::to_owned).or_else(|| flags.config.clone()) else {
            return vec![source_of(&Config::merge(flags, ConfigFile::default()).0)];
        };
        let (config, errors) = Config::load_valid(Flags { config: Some(file.clone()), ..flags });
        let are_rules_known = !errors.iter().any(ConfigError::hides_rules);
        let is_valid = errors.is_empty();
        self.errors.extend(errors.into_iter().map(|error| Finding::of_config(&file, error)));
        let (Some(config), file) = (config, &*file) else { return Vec::new() };
        self.errors.extend(obstacles(&config).iter().map(|error| Finding::of_start(file, error)));
        let expiring = expiring(&config).into_iter();
        self.warnings.extend(expiring.map(|(file, warning)| Finding::whole(&file, "CertificateExpires", warning)));
        if !config.upstream().tls.verify {
            self.warnings.push(Finding::whole(file, "UpstreamNotVerified", UpstreamTls::NOT_VERIFIED.to_owned()));
        }
        let open_admin = config.admin.warning().map(|warning| Finding::whole(file, "AdminWithoutToken", warning));
        self.warnings.extend(open_admin);
        if config.has_former_drivers_key {
            self.warnings.push(Finding::whole(file, "RenamedKey", Drivers::RENAMED.to_owned()));
        }
        // Nothing follows from a value that is not the one that was meant.
        if is_valid {
            self.add_signed(file, &config);
        }
        // Otherwise the default is in place of what was meant.
        let mut sources: Vec<_> = are_rules_known.then(|| source_of(&config)).into_iter().collect();
        sources.extend(config.rules.shadow.map(|shadow| -> Box<dyn Source> { Box::new(Directory::new(shadow)) }));
        sources
    }

    /// Adds what to say of the objects that everyone can read, or everyone with a grant.
    fn add_signed(&mut self, file: &Path, config: &Config) {
        let mut found = config.sign_warnings();
        if config.sign.iter().any(SignedPrefix::is_public) {
            let (store, errors) = Store::of_what_is_valid(source_of(config), config.cors.credentials.into());
            // Rules with errors are not those that were meant.
            found.extend(any_page_reads(&config.sign, &store.live()).into_iter().filter(|_| errors.is_empty()));
        }
        let (notes, warnings): (Vec<_>, Vec<_>) = found.iter().partition(|warning| warning.is_note());
        let finding = |warning: &SignWarning| Finding::whole(file, warning.code(), warning.to_string());
        self.warnings.extend(warnings.into_iter().map(finding));
        self.notes.extend(notes.into_iter().map(finding));
    }
}

impl Finding {
    fn at(file: &Path, position: Position, code: &str, message: String, detail: Option<String>) -> Self {
        let (line, column) = (position.line as u64, position.column as u64);
        Self {
            file: file.to_owned(),
            line,
            column,
            code: code.to_owned(),
            message,
            detail,
            hint: None,
            has_message_of_s3: false,
        }
    }

    fn of_warning(file: &Path, warning: &Warning) -> Self {
        let (code, message) = (warning.code().as_str(), warning.message().into_owned());
        Self::at(file, warning.position(), code, message, None).with_hint(warning.hint())
    }

    fn with_hint(self, hint: Option<Cow<'_, str>>) -> Self {
        Self { hint: hint.map(Cow::into_owned), ..self }
    }

    fn whole(file: &Path, code: &str, message: String) -> Self {
        Self::at(file, Position::default(), code, message, None)
    }

    fn of_config(file: &Path, error: ConfigError) -> Self {
        let code = match error {
            ConfigError::File(error) => return Self::of_config_file(error),
            ConfigError::NoUpstream => "NoUpstream",
            ConfigError::UpstreamBesideUpstreams => "UpstreamBesideUpstreams",
            ConfigError::DefaultUpstream { .. } => "DefaultUpstream",
            ConfigError::TwoRules { .. } => "TwoRules",
            ConfigError::HalfAStore => "HalfAStore",
            ConfigError::NoPlaceForRules => "NoPlaceForRules",
            ConfigError::TwoDrivers => "TwoDrivers",
            ConfigError::NeedsOwnDrivers { .. } => "NeedsOwnDrivers",
            ConfigError::OwnListener { .. } => "OwnListener",
            ConfigError::AddressConflict { .. } => "AddressConflict",
        };
        Self::whole(file, code, error.to_string())
    }

    fn of_start(file: &Path, error: &ServeError) -> Self {
        let code = match error {
            ServeError::Tls(_) | ServeError::Certificates { .. } => "UnusableCertificate",
            ServeError::Token(_) => "UnusableToken",
            ServeError::GrantKeys(_) => "UnusableKeys",
            ServeError::Handover(_) => "UnusableHandover",
            _ => "CannotStart",
        };
        Self::whole(file, code, error.to_string())
    }

    fn of_config_file(error: ConfigFileError) -> Self {
        match error {
            ConfigFileError::Unreadable { path, source } => {
                Self::whole(&path, "Unreadable", told_with_place(&path, &source))
            }
            ConfigFileError::Invalid { path, line, column, message, .. } => Self {
                file: path,
                line,
                column,
                code: "InvalidConfiguration".into(),
                message,
                detail: None,
                hint: None,
                has_message_of_s3: false,
            },
        }
    }

    fn of_file(error: SourceError) -> Vec<Self> {
        match error {
            SourceError::Unreadable { path, reason } => vec![Self::whole(&path, "Unreadable", reason)],
            SourceError::ReservedName { ref path } => vec![Self::whole(path, "ReservedName", error.to_string())],
            SourceError::Twice { ref path, .. } => vec![Self::whole(path, "TwoFilesForOneBucket", error.to_string())],
            SourceError::Invalid { path, errors } => errors
                .iter()
                .map(|error| {
                    let (code, message) = (error.code().as_str(), error.summary().into_owned());
                    let detail = error.detail().map(Cow::into_owned);
                    let has_message_of_s3 = detail.is_some() && error.message() == message;
                    let finding = Self::at(&path, error.position(), code, message, detail).with_hint(error.hint());
                    Self { has_message_of_s3, ..finding }
                })
                .collect(),
        }
    }
}
