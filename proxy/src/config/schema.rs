//! The schema of the configuration file, made from its types: for editors, for the reference, and so that neither can lie.

use super::ConfigFile;
use super::listen::{Listener, ListenerSection};
use super::values::OneOrMany;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;

impl JsonSchema for Listener {
    fn schema_name() -> Cow<'static, str> {
        "Listener".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (address, object) = (generator.subschema_for::<SocketAddr>(), generator.subschema_for::<ListenerSection>());
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

#[test]
fn the_schema_beside_the_sample_file_is_that_of_the_types() {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<ConfigFile>();
    let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/s3cors.schema.json"));
    if std::env::var_os("S3CORS_WRITE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let is = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        is == made,
        "{} is not that of the types: `S3CORS_WRITE=1 cargo test schema` makes it anew",
        path.display()
    );
}
