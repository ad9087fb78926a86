//! The schema of the configuration file, made from its types: for editors and the reference. Tests keep schema and sample file true.

use super::ConfigFile;
use super::address::ListenAddress;
use super::admin::{AdminListener, AdminSection};
use super::fields::{As, AtLeastOne, OneOrMany, OptionalSection, OrDefault, Placed, SectionOrDefault, WithPlace};
use super::listen::{Listener, ListenerSection};
use super::named_upstream::UpstreamEntry;
use super::paths::OptionalPath;
use super::upstream::UpstreamUrl;
use super::upstream_host::{UpstreamHost, UpstreamHosts};
use super::upstream_section::{UpstreamConfig, UpstreamOrUrls};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serializer;
use serde::ser::Error;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/s3cors.yaml");

impl JsonSchema for Listener {
    fn schema_name() -> Cow<'static, str> {
        "Listener".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (address, object) =
            (generator.subschema_for::<ListenAddress>(), generator.subschema_for::<ListenerSection>());
        json_schema!({ "anyOf": [address, object] })
    }
}

impl JsonSchema for AdminListener {
    fn schema_name() -> Cow<'static, str> {
        "AdminListener".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (address, object) = (generator.subschema_for::<ListenAddress>(), generator.subschema_for::<AdminSection>());
        json_schema!({ "anyOf": [address, object] })
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (one, many) = (generator.subschema_for::<T>(), generator.subschema_for::<Vec<T>>());
        json_schema!({ "anyOf": [one, many] })
    }
}

impl JsonSchema for UpstreamHosts {
    fn schema_name() -> Cow<'static, str> {
        "UpstreamHosts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OneOrMany::<UpstreamHost>::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for As<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A field that may be written without a value.
macro_rules! optional {
    ($($wrapper:ident),*) => {
        $(
            impl<T: JsonSchema> JsonSchema for $wrapper<T> {
                fn schema_name() -> Cow<'static, str> {
                    Option::<T>::schema_name()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    Option::<T>::json_schema(generator)
                }
            }

            impl<T> $wrapper<T> {
                pub(super) fn serialize<Kept, S: Serializer>(_: &Kept, _: S) -> Result<S::Ok, S::Error> {
                    no_default::<S>()
                }
            }
        )*
    };
}

optional!(OrDefault, SectionOrDefault, OptionalSection, WithPlace, AtLeastOne);

impl JsonSchema for UpstreamOrUrls {
    fn schema_name() -> Cow<'static, str> {
        "UpstreamOrUrls".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (section, urls) =
            (generator.subschema_for::<Option<UpstreamConfig>>(), generator.subschema_for::<OneOrMany<UpstreamUrl>>());
        json_schema!({ "anyOf": [section, urls] })
    }
}

impl UpstreamOrUrls {
    pub(super) fn serialize<S: Serializer>(_: &UpstreamConfig, _: S) -> Result<S::Ok, S::Error> {
        no_default::<S>()
    }
}

impl JsonSchema for UpstreamEntry {
    fn schema_name() -> Cow<'static, str> {
        UpstreamOrUrls::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        UpstreamOrUrls::json_schema(generator)
    }
}

impl JsonSchema for OptionalPath {
    fn schema_name() -> Cow<'static, str> {
        "OptionalPath".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<String>::json_schema(generator)
    }
}

impl OptionalPath {
    pub(super) fn serialize<S: Serializer>(_: &Option<PathBuf>, _: S) -> Result<S::Ok, S::Error> {
        no_default::<S>()
    }
}

/// schemars writes the default of a `with` field through `serialize`; an error leaves it out. The sample file states the defaults.
fn no_default<S: Serializer>() -> Result<S::Ok, S::Error> {
    Err(S::Error::custom("the sample file states the defaults"))
}

impl<T> As<T> {
    pub(super) fn serialize<Kept, S: Serializer>(_: &Kept, _: S) -> Result<S::Ok, S::Error> {
        no_default::<S>()
    }
}

fn schema() -> Schema {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<ConfigFile>()
}

/// The sample file with the settings that it comments out because they have no default.
///
/// Their `#` is directly before the key; that of a comment is before a space.
pub(super) fn sample_with_every_key() -> String {
    let commented_out =
        |line: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    let text = std::fs::read_to_string(SAMPLE).unwrap();
    let lines = text.lines().map(|line| if commented_out(line) { line.replacen('#', "", 1) } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

/// In the path of a key, a key that users choose: a host name, which has a dot as no key of ours has one, or the name of an upstream.
const CHOSEN: &str = "NAME";
/// The settings of a named upstream are those of `upstream`, where the sample file shows them.
const OF_NAMED: &str = "upstreams.NAME.";

/// The path of every key of a value, `upstream.timeouts.read`.
fn keys_of_value(value: &Value, above: &str, keys: &mut BTreeSet<String>) {
    for (key, below) in value.as_object().into_iter().flatten() {
        let path = format!("{above}{}", if key.contains('.') || above == "upstreams." { CHOSEN } else { key });
        keys_of_value(below, &format!("{path}."), keys);
        keys.insert(path);
    }
}

/// The path of every key that a schema knows, in any of its alternatives.
fn keys_of_schema(schema: &Value, above: &str, keys: &mut BTreeSet<String>) {
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        keys_of_schema(choice, above, keys);
    }
    let chosen = Some(&schema["additionalProperties"]).filter(|below| below.is_object()).map(|below| (CHOSEN, below));
    let named = schema["properties"].as_object().into_iter().flatten().map(|(key, below)| (key.as_str(), below));
    for (key, below) in named.chain(chosen) {
        let path = format!("{above}{key}");
        keys_of_schema(below, &format!("{path}."), keys);
        keys.insert(path);
    }
}

#[test]
fn the_sample_file_has_every_key_of_the_schema_and_no_other() {
    let (mut known, mut shown) = (BTreeSet::new(), BTreeSet::new());
    keys_of_schema(schema().as_value(), "", &mut known);
    keys_of_value(&serde_saphyr::from_str(&sample_with_every_key()).unwrap(), "", &mut shown);
    for keys in [&mut known, &mut shown] {
        keys.retain(|key| !key.starts_with(OF_NAMED));
    }
    for key in ["admin.hosts", "listen.tls.key", "upstream.health_check.path", "limits.connections"] {
        assert!(known.contains(key), "{key}: {known:?}");
    }
    assert_eq!(shown, known);
}

#[test]
fn the_schema_next_to_the_sample_file_is_that_of_the_types() {
    let made = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/s3cors.schema.json"));
    if std::env::var_os("S3CORS_WRITE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert!(
        found == made,
        "{} does not match the types: regenerate it with `S3CORS_WRITE=1 cargo test schema`",
        path.display()
    );
}
