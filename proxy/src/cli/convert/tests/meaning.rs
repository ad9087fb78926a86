//! Properties: what is written, read back, grants what its source grants, and never more.

use super::super::{Convert, To};
use super::{From, converted};
use proptest::collection::vec;
use proptest::prelude::*;
use s3_cors::{CorsConfiguration, Document, Format};
use serde_json::{Value, json};

/// A rule of S3's as every tool can write it.
#[derive(Clone, Debug)]
struct Rule {
    origins: Vec<String>,
    methods: Vec<&'static str>,
    headers: Vec<String>,
    expose: Vec<String>,
    max_age: u16,
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let methods = proptest::sample::subsequence(vec!["GET", "PUT", "HEAD", "POST", "DELETE"], 1..=5);
    let origin = prop_oneof!["[a-z:/.,;# é-]{1,8}", "[a-z:/.]{0,4}\\*[a-z:/.,]{0,4}"];
    let header = prop_oneof!["x-[a-z0-9-]{1,6}", "x-[a-z]{0,3}\\*"];
    let rule = (vec(origin, 1..3), methods, vec(header, 0..3), vec("x-[a-z0-9]{1,6}", 0..3), any::<u16>());
    let rule = rule.prop_map(|(origins, methods, headers, expose, max_age)| Rule {
        origins,
        methods,
        headers,
        expose,
        max_age,
    });
    vec(rule, 1..4)
}

/// The names of a form: origins, methods, headers, exposed headers, the age.
type Names = [&'static str; 5];

const S3: Names = ["AllowedOrigins", "AllowedMethods", "AllowedHeaders", "ExposeHeaders", "MaxAgeSeconds"];
const CAMEL: Names = ["allowedOrigins", "allowedMethods", "allowedHeaders", "exposeHeaders", "maxAgeSeconds"];
const SNAKE: Names = ["allowed_origins", "allowed_methods", "allowed_headers", "expose_headers", "max_age_seconds"];
const CDK: Names = ["allowedOrigins", "allowedMethods", "allowedHeaders", "exposedHeaders", "maxAge"];
const CLOUD_FORMATION: Names = ["AllowedOrigins", "AllowedMethods", "AllowedHeaders", "ExposedHeaders", "MaxAge"];

/// The rules as JSON with these names, which is HCL, YAML and TypeScript too, but for what is between a name and its value.
fn list(rules: &[Rule], [origins, methods, headers, expose, age]: Names) -> Value {
    let rules = rules.iter().map(|rule| {
        json!({origins: rule.origins, methods: rule.methods, headers: rule.headers, expose: rule.expose, age: rule.max_age})
    });
    rules.collect()
}

fn blocks(rules: &[Rule]) -> String {
    let blocks = list(rules, SNAKE).as_array().unwrap().clone().into_iter().map(|rule| {
        let attributes =
            rule.as_object().unwrap().iter().map(|(name, value)| format!("{name} = {value}\n")).collect::<String>();
        format!("cors_rule {{\n{attributes}}}\n")
    });
    format!("resource \"aws_s3_bucket_cors_configuration\" \"b\" {{\n{}}}\n", blocks.collect::<String>())
}

/// An array of PHP.
fn php(value: &Value) -> String {
    let members = |members: Vec<String>| format!("[{}]", members.join(", "));
    match value {
        Value::Object(object) => {
            members(object.iter().map(|(name, value)| format!("'{name}' => {}", php(value))).collect())
        }
        Value::Array(values) => members(values.iter().map(php).collect()),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn shorthand(rules: &[Rule]) -> String {
    let quoted = |values: &[String]| values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(",");
    let rules = rules.iter().map(|rule| {
        let (origins, headers, expose) = (quoted(&rule.origins), quoted(&rule.headers), quoted(&rule.expose));
        let (methods, age) = (rule.methods.join(","), rule.max_age);
        format!("{{AllowedOrigins=[{origins}],AllowedMethods=[{methods}],AllowedHeaders=[{headers}],ExposeHeaders=[{expose}],MaxAgeSeconds={age}}}")
    });
    format!("CORSRules=[{}]", rules.collect::<Vec<_>>().join(","))
}

/// The same rules in the form of each tool.
fn forms(rules: &[Rule]) -> Vec<(From, String)> {
    let [s3, camel, snake, cdk, template] =
        [S3, CAMEL, SNAKE, CDK, CLOUD_FORMATION].map(|names| list(rules, names).to_string());
    vec![
        (From::Terraform, blocks(rules)),
        (From::Terraform, format!("module \"b\" {{\n  cors_rule = {snake}\n}}\n")),
        (From::Terraform, format!(r#"{{"resource": {{"a": {{"b": {{"cors_rule": {snake}}}}}}}}}"#)),
        (
            From::Pulumi,
            format!("resources:\n  b:\n    type: aws:s3:Bucket\n    properties:\n      corsRules: {camel}\n"),
        ),
        (From::Pulumi, format!("new aws.s3.Bucket('b', {{ corsRules: {camel} }})")),
        (From::Crossplane, format!("apiVersion: s3/v1\nkind: Bucket\nspec:\n  forProvider:\n    corsRule: {camel}\n")),
        (From::Cdk, format!("new s3.Bucket(this, 'B', {{ cors: {cdk} }});")),
        (
            From::CloudFormation,
            format!("Resources:\n  B:\n    Properties:\n      CorsConfiguration:\n        CorsRules: {template}\n"),
        ),
        (From::CloudFormation, format!(r#"{{"CorsConfiguration": {{"CorsRules": {template}}}}}"#)),
        (From::Json, format!("- community.aws.s3_cors:\n    rules: {snake}\n")),
        (From::Json, format!("CORSRules: {s3}\n")),
        (From::Json, format!(r#"{{"cors_rules": {snake}}}"#)),
        (From::Json, format!("{{corsRules: {camel},}}")),
        (From::Json, shorthand(rules)),
        (From::Terraform, format!("module \"b\" {{\n  cors_rule = jsonencode({snake})\n}}\n")),
        (From::Json, format!("import boto3\ns3.put_bucket_cors(Bucket=b, CORSConfiguration={{'CORSRules': {s3}}})\n")),
        (From::Json, format!("const input = {{ CORSConfiguration: {{ CORSRules: {s3} }} }};\n")),
        (From::Json, format!("<?php\n$c->putBucketCors(['CORSRules' => {}]);\n", php(&list(rules, S3)))),
        (From::Json, format!("apiVersion: k/v1\nkind: Bucket\nspec:\n  cors:\n    corsRules: {camel}\n")),
    ]
}

fn read_back(configuration: &CorsConfiguration, to: To) -> CorsConfiguration {
    let (text, format) = match to {
        To::Xml => (configuration.to_xml().unwrap(), Format::Xml),
        To::Json => (configuration.to_json().unwrap(), Format::Json),
    };
    Document::parse(text.as_bytes(), format).unwrap().into_configuration()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_form_of_s3s_rules_keeps_every_value(rules in rules()) {
        let meant = Document::parse(list(&rules, S3).to_string().as_bytes(), Format::Json).unwrap().into_configuration();
        for (form, text) in forms(&rules) {
            for from in [form, From::Auto] {
                let convert = Convert { from, to: To::Json, file: None };
                let (configuration, notes) = convert.configuration(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
                prop_assert!(notes.is_empty(), "{text}: {notes:?}");
                for to in [To::Xml, To::Json] {
                    prop_assert_eq!(&read_back(&configuration, to), &meant, "{}", text);
                }
            }
        }
    }

    #[test]
    fn a_rule_with_an_unknown_value_is_never_written(
        rules in rules(),
        key in 0..5_usize,
        unknown in proptest::sample::select(vec!["${x}", "{{ x }}", "<%= x %>", "https://${x}.a", "$X"]),
    ) {
        for names in [CAMEL, SNAKE, CDK, CLOUD_FORMATION] {
            let mut list = list(&rules, names);
            list[0][names[key]] = if key == 4 { json!(unknown) } else { json!(["*", unknown]) };
            for text in [format!(r#"{{"corsRules": {list}}}"#), format!("resources:\n  corsRules: {list}\n"), format!("corsRules: {list}")] {
                for from in [From::Pulumi, From::Cdk, From::Terraform, From::Crossplane] {
                    let converted = converted(from, &text);
                    prop_assert!(converted.is_err(), "{text}: {converted:?}");
                }
            }
        }
    }

    /// Fetch, "CORS-preflight fetch": `*` in the list is any header but `Authorization`, and with credentials a name like others.
    #[test]
    fn a_header_that_the_gateway_does_not_grant_is_named(
        headers in proptest::sample::subsequence(vec!["*", "authorization", "x-a", "x-*"], 0..=4),
        credentials in any::<bool>(),
        asked in proptest::sample::select(vec!["authorization", "x-a", "x-b"]),
    ) {
        let granted = headers.contains(&asked) || (headers.contains(&"*") && !credentials && asked != "authorization");
        let (list, text) = (json!(headers), headers.join(","));
        let documents = [
            (From::Traefik, json!({"spec": {"headers": {"accessControlAllowOriginList": ["https://a"], "accessControlAllowHeaders": list,
                "accessControlAllowCredentials": credentials}}})),
            (From::Istio, json!({"corsPolicy": {"allowOrigins": [{"exact": "https://a"}], "allowHeaders": list, "allowCredentials": credentials}})),
            (From::IngressNginx, json!({"metadata": {"annotations": {
                "nginx.ingress.kubernetes.io/enable-cors": "true", "nginx.ingress.kubernetes.io/cors-allow-origin": "https://a",
                "nginx.ingress.kubernetes.io/cors-allow-headers": if text.is_empty() { "x-none".to_owned() } else { text.clone() },
                "nginx.ingress.kubernetes.io/cors-allow-credentials": credentials.to_string()}}})),
        ];
        for (from, document) in documents {
            let (rules, notes) = converted(from, &document.to_string()).unwrap();
            let rules = Document::parse(rules.as_bytes(), Format::Json).unwrap().into_configuration();
            let grants = rules.rules()[0].allowed_headers().iter().any(|header| header.matches(asked));
            let is_named = notes.iter().any(|note| note.contains("header * is any header in S3"));
            let is_pattern = rules.rules()[0].allowed_headers().iter().any(|header| header.as_str() == "x-*");
            prop_assert!(!is_pattern, "{document}: a * inside a name is a character there");
            prop_assert!(grants == granted || is_named, "{document} for {asked}: {rules:?} {notes:?}");
        }
    }

    #[test]
    fn no_origin_is_granted_that_the_gateway_does_not_grant(
        origins in vec("[a-c*]{1,3}", 1..4),
        asked in "[a-c*]{0,4}",
    ) {
        let has = |value: &str| origins.iter().any(|origin| origin == value);
        let lists = [
            (From::Traefik, json!({"spec": {"headers": {"accessControlAllowOriginList": origins}}}), has(&asked) || has("*")),
            (
                From::Istio,
                json!({"corsPolicy": {"allowOrigins": origins.iter().map(|exact| json!({"exact": exact})).collect::<Vec<_>>()}}),
                has(&asked) || has("*"),
            ),
            (
                From::Istio,
                json!({"corsPolicy": {"allowOrigins": origins.iter().map(|prefix| json!({"prefix": prefix})).collect::<Vec<_>>()}}),
                origins.iter().any(|origin| asked.starts_with(origin.as_str()) || origin == "*"),
            ),
        ];
        for (from, document, granted) in lists {
            let Ok((rules, notes)) = converted(from, &document.to_string()) else { continue };
            let rules = Document::parse(rules.as_bytes(), Format::Json).unwrap().into_configuration();
            let grants = rules.rules().iter().flat_map(s3_cors::CorsRule::allowed_origins).any(|origin| origin.matches(asked.as_bytes()));
            let is_named = notes.iter().any(|note| note.contains("left out"));
            prop_assert!(!grants || granted, "wider: {document} for {asked}: {rules:?}");
            prop_assert!(grants || !granted || is_named, "narrower without a word: {document} for {asked}: {notes:?}");
        }
    }
}
