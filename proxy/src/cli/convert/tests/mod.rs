//! Each form becomes the rules that it means, and says what it loses.

mod meaning;
mod refused;
mod tools;

use super::{Convert, From, To};
use s3_cors::Document;

/// The rules as one line of JSON, and the warnings; or the errors.
fn converted(from: From, text: &str) -> Result<(String, Vec<String>), String> {
    let convert = Convert { from, to: To::Json, file: None };
    let (configuration, warnings) = convert.configuration(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok((serde_json::to_string(&configuration).unwrap(), warnings))
}

/// Form, document, rules in the JSON of the AWS CLI, and a part of each warning.
fn check(cases: &[(From, &str, &str, &[&str])]) {
    for (from, text, rules, lost) in cases {
        for from in [*from, From::Auto] {
            let (written, warnings) = converted(from, text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let expected = Document::parse(rules.as_bytes(), s3_cors::Format::Json).unwrap();
            assert_eq!(written, serde_json::to_string(expected.configuration()).unwrap(), "{text}");
            let same = warnings.len() == lost.len() && warnings.iter().zip(*lost).all(|(w, l)| w.contains(l));
            assert!(same, "{text}: {warnings:#?}, expected {lost:#?}");
        }
    }
}

#[test]
fn rules_of_other_stores_become_s3s() {
    let all = r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT", "HEAD", "POST", "DELETE"]}]"#;
    check(&[
        (
            From::R2,
            r#"{"rules": [{"id": "a", "allowed": {"origins": ["https://a.example"], "methods": ["get", "OPTIONS"],
              "headers": ["x-*"], "age": 1}, "exposeHeaders": ["ETag"], "maxAgeSeconds": 60, "x": true}]}"#,
            r#"[{"ID": "a", "AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-*"],
              "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]"#,
            &["rule 1: x is left out", "rule 1, allowed: age is left out", "rule 1: OPTIONS is left out"],
        ),
        (
            From::R2,
            r#"{"rules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]}"#,
            r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]"#,
            &[],
        ),
        (From::Gcs, r#"[{"origin": ["*"], "method": ["*"]}]"#, all, &[]),
        (
            From::Gcs,
            r#"{"cors_config": [{"origin": ["*"], "method": ["GET"], "responseHeader": ["*"]}], "name": "b"}"#,
            r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}]"#,
            &["exposed header * is left out"],
        ),
        (
            From::Gcs,
            r#"[{"origin": ["https://a"], "method": ["GET"], "responseHeader": ["x-goog-*"]}]"#,
            r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-goog-*"]}]"#,
            &["x-goog-* matches any text in the place of *", "exposed header x-goog-* is left out"],
        ),
        (
            From::Gcs,
            "<?xml version='1.0'?><CorsConfig><Cors><Origins><Origin>http://a</Origin><Origin>http://b</Origin></Origins>\
             <Methods><Method>PUT</Method></Methods><ResponseHeaders/><MaxAgeSec>5</MaxAgeSec></Cors></CorsConfig>",
            r#"[{"AllowedOrigins": ["http://a", "http://b"], "AllowedMethods": ["PUT"], "MaxAgeSeconds": 5}]"#,
            &[],
        ),
        (
            From::B2,
            r#"[{"corsRuleName": "r", "allowedOrigins": ["https", "http://*"], "allowedOperations": ["s3_head",
              "b2_download_file_by_name", "b2_upload_file"], "allowedHeaders": ["*"], "maxAgeSeconds": 9}]"#,
            r#"[{"ID": "r", "AllowedOrigins": ["https://*", "http://*"], "AllowedMethods": ["HEAD", "GET"], "AllowedHeaders": ["*"],
              "MaxAgeSeconds": 9}]"#,
            &["http://* also matches every port", "b2_upload_file is left out"],
        ),
        (
            From::Azure,
            "<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>http://a,http://b</AllowedOrigins>\
             <AllowedMethods>GET,MERGE</AllowedMethods><MaxAgeInSeconds>20</MaxAgeInSeconds>\
             <ExposedHeaders>x-ms-meta*,ETag</ExposedHeaders><AllowedHeaders/></CorsRule></Cors></StorageServiceProperties>",
            r#"[{"AllowedOrigins": ["http://a", "http://b"], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"],
              "MaxAgeSeconds": 20}]"#,
            &["method MERGE is left out", "exposed header x-ms-meta* is left out"],
        ),
        (
            From::Azure,
            r#"{"properties": {"cors": {"corsRules": [{"allowedOrigins": ["*"], "allowedMethods": ["PUT"],
              "maxAgeInSeconds": 7, "exposedHeaders": [], "allowedHeaders": ["*"]}]}}}"#,
            r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 7}]"#,
            &[],
        ),
        (
            From::Azure,
            r#"[{"AllowedOrigins": "*", "AllowedMethods": "GET, PUT", "MaxAgeInSeconds": 7, "Service": "blob"}]"#,
            r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT"], "MaxAgeSeconds": 7}]"#,
            &["service is left out"],
        ),
    ]);
}

#[test]
fn what_stands_around_s3s_rules_is_taken_off() {
    let rules = r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]"#;
    check(&[
        (
            From::Json,
            r#"{"Bucket": "b", "CORSConfiguration": {"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]},
              "ExpectedBucketOwner": "1"}"#,
            rules,
            &["Bucket is left out", "ExpectedBucketOwner is left out"],
        ),
        (From::Json, r#"{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}"#, rules, &[]),
        (
            From::Json,
            r#"{"CORSConfiguration": {"CORSRule": {"AllowedOrigin": "*", "AllowedMethod": ["GET"]}}}"#,
            rules,
            &[],
        ),
        (
            From::Xml,
            "<CORSRule><ID>a</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>\n\
             <CORSRule><AllowedOrigin>http://a</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
             <MaxAgeSeconds>5</MaxAgeSeconds></CORSRule>",
            r#"[{"ID": "a", "AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
              {"AllowedOrigins": ["http://a"], "AllowedMethods": ["PUT"], "MaxAgeSeconds": 5}]"#,
            &[],
        ),
        (
            From::Xml,
            "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>",
            rules,
            &[],
        ),
        (
            From::CloudFormation,
            "Resources:\n  B:\n    Properties:\n      BucketName: !Ref Name\n      CorsConfiguration:\n        CorsRules:\n        \
             - {AllowedOrigins: ['*'], AllowedMethods: [GET], Id: one, MaxAge: 3, ExposedHeaders: [ETag]}\n",
            r#"[{"ID": "one", "AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"],
              "MaxAgeSeconds": 3}]"#,
            &[],
        ),
    ]);
}

#[test]
fn rules_of_gateways_become_s3s() {
    check(&[
        (
            From::IngressNginx,
            "kind: Service\n---\nkind: Ingress\nmetadata:\n  annotations:\n    nginx.ingress.kubernetes.io/enable-cors: 'true'\n    \
             nginx.ingress.kubernetes.io/cors-allow-origin: 'http://a, http://*.b'\n    \
             nginx.ingress.kubernetes.io/cors-allow-methods: GET\n    nginx.ingress.kubernetes.io/cors-allow-headers: x-a,x-b\n    \
             nginx.ingress.kubernetes.io/cors-allow-credentials: 'false'\n    nginx.ingress.kubernetes.io/cors-max-age: '5'\n    \
             nginx.ingress.kubernetes.io/proxy-body-size: 1m\n",
            r#"[{"AllowedOrigins": ["http://a", "http://*.b"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-a", "x-b"],
              "MaxAgeSeconds": 5}]"#,
            &["cors-allow-credentials is left out", "http://*.b also matches deeper subdomains"],
        ),
        (
            From::IngressNginx,
            "{kind: Ingress, metadata: {annotations: {nginx.ingress.kubernetes.io/enable-cors: 'true'}}}",
            r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT", "POST", "DELETE"], "AllowedHeaders": ["DNT",
              "Keep-Alive", "User-Agent", "X-Requested-With", "If-Modified-Since", "Cache-Control", "Content-Type", "Range",
              "Authorization"], "MaxAgeSeconds": 1728000}]"#,
            &["S3 gives no credentials to the origin *", "method PATCH", "OPTIONS"],
        ),
        (
            From::GatewayApi,
            "kind: HTTPRoute\nspec:\n  rules:\n  - filters:\n    - type: CORS\n      cors:\n        allowOrigins: ['http://a']\n        \
             allowMethods: [GET, HEAD, PUT]\n        allowHeaders: ['*']\n        exposeHeaders: ['*']\n        \
             allowCredentials: true\n",
            r#"[{"AllowedOrigins": ["http://a"], "AllowedMethods": ["GET", "HEAD", "PUT", "POST"], "AllowedHeaders": ["*"],
              "MaxAgeSeconds": 5}]"#,
            &["POST is added", "exposed header * is left out"],
        ),
    ]);
}

#[test]
fn what_cannot_be_converted_is_an_error_that_names_it() {
    let two = r#"{"Resources": {"A": {"Properties": {"CorsConfiguration": {}}}, "B": {"Properties": {"CorsConfiguration": {}}}}}"#;
    for (from, text, expected) in [
        (From::Auto, r#"{"Version": "2012-10-17", "Statement": []}"#, "this is a bucket policy"),
        (From::Auto, "<CORSConfiguration/>", "no CORSRule"),
        (From::Json, r#"{"rules": [{"allowed": {}}]}"#, "convert --from r2"),
        (From::R2, r#"{"rules": [{"allowed": {"origins": [], "methods": ["PATCH"]}}]}"#, "rule 1: method PATCH"),
        (From::R2, r#"{"rules": [{"allowed": {"origins": ["a*b*"], "methods": ["GET"]}}]}"#, "origin \"a*b*\""),
        (From::R2, "{\"rules\": [", "EOF"),
        (From::R2, "[]", "no CORSRule"),
        (From::R2, "rules: [", "line 1 column"),
        (From::Auto, "rules: []", "name its form with --from"),
        (From::Gcs, "[1]", "1 where an object belongs"),
        (From::Gcs, "<CorsConfig>", "XML"),
        (From::CloudFormation, two, "Resources.A.Properties.CorsConfiguration, Resources.B"),
        (
            From::CloudFormation,
            r#"{"CorsRules": [{"AllowedOrigins": [{"Ref": "Origin"}], "AllowedMethods": ["GET"]}]}"#,
            "AllowedOrigins has {\"Ref\": \"Origin\"} in line 1, which is no value here",
        ),
        (From::IngressNginx, "kind: Ingress", "there is no nginx.ingress.kubernetes.io/enable-cors"),
        (From::GatewayApi, "kind: HTTPRoute", "there is no CORS filter"),
        (From::Azure, &"<a>".repeat(100), "nested too deeply"),
    ] {
        let error = converted(from, text).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}
