//! Documents in other tools' forms, as people have them: `check` names each without a word about XML, and the command that it hints
//! works on the same file, or names what cannot be represented.

use crate::support::process::{Ended, run, run_to_end, s3cors};
use crate::support::rules::Rules;
use serde_json::Value;

/// File, its text, what it is, and the origins of its rules or what cannot be represented.
type Form<'a> = (&'a str, &'a str, &'a str, Result<&'a [&'a str], &'a str>);

const SHOP: &[&str] = &["https://shop.example"];

const TERRAFORM: &str = r#"resource "aws_s3_bucket_cors_configuration" "uploads" {
  bucket = aws_s3_bucket.uploads.id

  cors_rule {
    allowed_headers = ["*"]
    allowed_methods = ["PUT", "POST"]
    allowed_origins = ["https://shop.example"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3000
  }
}
"#;

const FORMS: [Form<'_>; 40] = [
    ("main.tf", TERRAFORM, "Terraform's form", Ok(SHOP)),
    ("uploads.xml", TERRAFORM, "Terraform's form", Ok(SHOP)),
    ("uploads.json", TERRAFORM, "Terraform's form", Ok(SHOP)),
    (
        "old.tf",
        "resource \"aws_s3_bucket\" \"b\" {\n  cors_rule {\n    allowed_methods = [\"GET\"]\n    allowed_origins = var.origins\n  }\n}\n",
        "Terraform's form",
        Err("var.origins in line 4"),
    ),
    (
        "main.tf.json",
        r#"{"resource": {"aws_s3_bucket_cors_configuration": {"b": {"bucket": "b", "cors_rule": [{"allowed_methods": ["GET"],
           "allowed_origins": ["https://shop.example"]}]}}}}"#,
        "Terraform's form",
        Ok(SHOP),
    ),
    (
        "Pulumi.yaml",
        "name: p\nruntime: yaml\nresources:\n  b:\n    type: aws:s3:BucketV2\n    properties:\n      corsRules:\n      - allowedMethods: [GET]\n        \
         allowedOrigins: [https://shop.example]\n",
        "Pulumi's form",
        Ok(SHOP),
    ),
    (
        "index.ts",
        "import * as aws from \"@pulumi/aws\";\nconst b = new aws.s3.Bucket(\"b\", {\n  corsRules: [{ allowedMethods: [\"GET\"], allowedOrigins: [origin] }],\n});\n",
        "Pulumi's form",
        Err("origin in line 3"),
    ),
    (
        "crossplane.yaml",
        "apiVersion: s3.aws.upbound.io/v1beta1\nkind: BucketCorsConfiguration\nspec:\n  forProvider:\n    corsRule:\n    - allowedMethods: [GET]\n      \
         allowedOrigins: [https://shop.example]\n",
        "a resource of Crossplane",
        Ok(SHOP),
    ),
    (
        "stack.ts",
        "new s3.Bucket(this, 'B', {\n  cors: [{\n    allowedMethods: [s3.HttpMethods.GET],\n    allowedOrigins: ['https://shop.example'],\n  }],\n});\n",
        "the AWS CDK's form",
        Ok(SHOP),
    ),
    (
        "cdk.json",
        r#"{"cors": [{"allowedMethods": ["GET", "HEAD"], "allowedOrigins": ["*"], "exposedHeaders": ["ETag"], "maxAge": 300}]}"#,
        "the AWS CDK's form",
        Ok(&["*"]),
    ),
    (
        "serverless.yml",
        "service: s\nresources:\n  Resources:\n    B:\n      Type: AWS::S3::Bucket\n      Properties:\n        BucketName: b-${self:custom.stage}\n        \
         CorsConfiguration:\n          CorsRules:\n            -\n              AllowedOrigins:\n                - '*'\n              \
         AllowedMethods:\n                - GET\n              MaxAge: 3000\n",
        "CloudFormation's form",
        Ok(&["*"]),
    ),
    (
        "template.yaml",
        "Resources:\n  B:\n    Properties:\n      CorsConfiguration:\n        CorsRules:\n        - AllowedOrigins: !If [IsDev, \"*\", !Ref X]\n          \
         AllowedMethods: [GET]\n",
        "CloudFormation's form",
        Err("!If [IsDev, \"*\", !Ref X] in line 6"),
    ),
    (
        "traefik.yaml",
        "http:\n  middlewares:\n    cors:\n      headers:\n        accessControlAllowOriginList:\n        - https://shop.example\n        \
         accessControlAllowMethods: [GET]\n",
        "a middleware of Traefik",
        Ok(SHOP),
    ),
    (
        "traefik.toml",
        "[http.middlewares.cors.headers]\n  accessControlAllowOriginList = [\"https://shop.example\"]\n",
        "a middleware of Traefik",
        Ok(SHOP),
    ),
    (
        "istio.yaml",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec:\n  http:\n  - corsPolicy:\n      allowOrigins:\n      - exact: https://shop.example\n      \
         allowMethods: [GET]\n",
        "a corsPolicy of Istio",
        Ok(SHOP),
    ),
    (
        "istio-regex.yaml",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec:\n  http:\n  - corsPolicy:\n      allowOrigins:\n      - regex: .*\n",
        "a corsPolicy of Istio",
        Err("the regular expression .*"),
    ),
    (
        "ansible.yaml",
        "- name: CORS\n  community.aws.s3_cors:\n    name: assets\n    state: present\n    rules:\n      - allowed_origins:\n          - https://shop.example\n        \
         allowed_methods:\n          - GET\n",
        "a task of Ansible",
        Ok(SHOP),
    ),
    (
        "config-map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rules}\ndata:\n  assets.json: |\n    [{\"AllowedOrigins\": [\"https://shop.example\"], \"AllowedMethods\": \
         [\"GET\"]}]\n",
        "a ConfigMap",
        Ok(SHOP),
    ),
    (
        "shorthand.txt",
        "CORSRules=[{AllowedOrigins=[https://shop.example],AllowedMethods=[GET]}]\n",
        "the shorthand of the AWS CLI",
        Ok(SHOP),
    ),
    (
        "snake.json",
        r#"{"cors_rules": [{"allowed_origin": "https://shop.example", "allowed_methods": ["PUT"], "max_age_seconds": 200}]}"#,
        "S3's form with its keys in another case",
        Ok(SHOP),
    ),
    (
        "camel.json",
        r#"{"corsRules": [{"allowedOrigins": ["https://shop.example"], "allowedMethods": ["GET"], "exposeHeaders": ["ETag"]}]}"#,
        "S3's form with its keys in another case",
        Ok(SHOP),
    ),
    (
        "s3.yaml",
        "CORSRules:\n  - AllowedOrigins: [\"https://shop.example\"]\n    AllowedMethods: [GET, PUT]\n",
        "S3's form in YAML",
        Ok(SHOP),
    ),
    (
        "helm.yaml",
        "CORSRules:\n{{- range .Values.rules }}\n  - AllowedOrigins: [{{ .origin }}]\n    AllowedMethods: [GET]\n{{- end }}\n",
        "S3's form in YAML",
        Err("{{- range .Values.rules }}"),
    ),
    (
        "r2.json",
        r#"{"rules": [{"allowed": {"origins": ["https://shop.example"], "methods": ["GET"]}}]}"#,
        "Cloudflare R2's form",
        Ok(SHOP),
    ),
    (
        "gcs.yaml",
        "cors_config:\n- origin: [https://shop.example]\n  method: [GET]\n",
        "Google Cloud Storage's form",
        Ok(SHOP),
    ),
    (
        "ingress.yaml",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  annotations:\n    nginx.ingress.kubernetes.io/enable-cors: \"true\"\n    \
         nginx.ingress.kubernetes.io/cors-allow-origin: https://shop.example\n",
        "an Ingress with the annotations of ingress-nginx",
        Ok(SHOP),
    ),
    (
        "route.yaml",
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec:\n  rules:\n  - filters:\n    - type: CORS\n      cors:\n        allowOrigins: [https://shop.example]\n",
        "a CORS filter of the Gateway API",
        Ok(SHOP),
    ),
    (
        "one.json",
        r#"{"AllowedOrigins": ["https://shop.example"], "AllowedMethods": ["GET"]}"#,
        "one rule without the list around it",
        Ok(SHOP),
    ),
    (
        "r2.tf",
        "resource \"cloudflare_r2_bucket_cors\" \"x\" {\n  bucket_name = \"b\"\n  rules = [{\n    allowed = {\n      methods = [\"GET\"]\n      origins = \
         [\"https://shop.example\"]\n    }\n    max_age_seconds = 3600\n  }]\n}\n",
        "Terraform's form",
        Ok(SHOP),
    ),
    (
        "module.tf",
        "module \"b\" {\n  cors_rule = jsonencode([{ allowed_methods = [\"GET\"], allowed_origins = [\"https://shop.example\"] }])\n}\n",
        "Terraform's form",
        Ok(SHOP),
    ),
    (
        "locals.tf",
        "locals {\n  rules = [{ allowed_methods = [\"GET\"], allowed_origins = [\"https://shop.example\"] }]\n}\nmodule \"b\" {\n  cors_rule = local.rules\n}\n",
        "Terraform's form",
        Ok(SHOP),
    ),
    (
        "dynamic.tf",
        "resource \"aws_s3_bucket_cors_configuration\" \"b\" {\n  dynamic \"cors_rule\" {\n    for_each = var.rules\n    content {\n      allowed_methods = [\"GET\"]\n      \
         allowed_origins = cors_rule.value\n    }\n  }\n}\n",
        "Terraform's form",
        Err("dynamic \"cors_rule\" in line 2"),
    ),
    (
        "ack.yaml",
        "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nspec:\n  cors:\n    corsRules:\n    - allowedMethods: [GET]\n      allowedOrigins: [https://shop.example]\n",
        "S3's form with its keys in another case",
        Ok(SHOP),
    ),
    (
        "provider.yml",
        "service: s\nprovider:\n  s3:\n    uploads:\n      corsConfiguration:\n        CorsRules:\n        - AllowedOrigins: [https://shop.example]\n          \
         AllowedMethods: [GET]\n          MaxAge: 30\n",
        "CloudFormation's form",
        Ok(SHOP),
    ),
    (
        "cors.py",
        "import boto3\n\ncors_configuration = {\n    'CORSRules': [{\n        'AllowedMethods': ['GET'],\n        'AllowedOrigins': ['https://shop.example'],\n    }]\n}\n\
         s3 = boto3.client('s3')\ns3.put_bucket_cors(Bucket='b', CORSConfiguration=cors_configuration)\n",
        "a program with S3's rules in it",
        Ok(SHOP),
    ),
    (
        "cors.php",
        "<?php\n$client->putBucketCors([\n    'CORSConfiguration' => [\n        'CORSRules' => [\n            [\n                'AllowedMethods' => ['GET'],\n                \
         'AllowedOrigins' => ['https://shop.example'],\n            ],\n        ],\n    ],\n]);\n",
        "a program with S3's rules in it",
        Ok(SHOP),
    ),
    (
        "cors.rb",
        "client.put_bucket_cors(\n  cors_configuration: {\n    cors_rules: [{ allowed_methods: %w[GET], allowed_origins: ['https://shop.example'] }]\n  }\n)\n",
        "a program with S3's rules in it",
        Err("%w[GET] in line 3"),
    ),
    (
        "cors.go",
        "package main\n\nvar rule = s3.CORSRule{\n\tAllowedMethods: aws.StringSlice(methods),\n\tAllowedOrigins: aws.StringSlice(origins),\n}\n",
        "a program with S3's rules in it",
        Err("no CORS rules that stand as data"),
    ),
    (
        "cors.rs",
        "let rule = CorsRule::builder()\n    .allowed_methods(\"GET\")\n    .allowed_origins(\"https://shop.example\")\n    .build()?;\n",
        "a program with S3's rules in it",
        Err("no CORS rules that stand as data"),
    ),
    (
        "sst.ts",
        "const bucket = new sst.aws.Bucket(\"B\", {\n  cors: {\n    allowMethods: [\"GET\"],\n    allowOrigins: [\"https://shop.example\"],\n  },\n});\n",
        "a program with S3's rules in it",
        Err("no CORS rules that stand as data"),
    ),
];

/// The arguments of the command in a hint, with a file in the place of FILE.
fn hinted(hint: &str, file: &str) -> Vec<String> {
    let (_, command) = hint.split_once("run s3cors ").unwrap_or_else(|| panic!("no command: {hint}"));
    command.split_whitespace().map(|word| if word == "FILE" { file } else { word }.to_owned()).collect()
}

fn origins(json: &str) -> Vec<String> {
    let rules: Value = serde_json::from_str(json).unwrap();
    let rules = rules["CORSRules"].as_array().unwrap().clone();
    let lists = rules.iter().flat_map(|rule| rule["AllowedOrigins"].as_array().unwrap().clone());
    lists.map(|origin| origin.as_str().unwrap().to_owned()).collect()
}

fn command(arguments: &[String]) -> Ended {
    run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_hinted_command_converts_the_file_or_names_what_it_cannot() {
    let rules = Rules::empty();
    for (name, text, what, expected) in FORMS {
        rules.write(name, text);
        let file = rules.file(name).to_str().unwrap().to_owned();
        let checked = run(&["check", "--format", "json", &file]);
        assert_eq!(checked.code, Some(1), "{name}: {checked:?}");
        let found: Value = serde_json::from_str(&checked.stdout).unwrap();
        let [error] = &found["errors"].as_array().unwrap()[..] else { panic!("{name}: {found:#}") };
        assert_eq!(error["detail"], format!("this is {what}"), "{name}");
        if !text.starts_with(['{', '[']) {
            assert_eq!(error["message"], "The document is not in S3's form", "{name}: no word about XML");
        }
        let arguments = hinted(error["hint"].as_str().unwrap(), &file);
        let converted = command(&arguments);
        match expected {
            Ok(expected) => {
                assert_eq!(converted.code, Some(0), "{name}: {arguments:?} {converted:?}");
                let json = run_to_end(s3cors(&["convert", "--to", "json"]), &converted.stdout);
                assert_eq!(origins(&json.stdout), expected, "{name}: {arguments:?}");
            }
            Err(named) => {
                assert_eq!((converted.code, &*converted.stdout), (Some(1), ""), "{name}: {arguments:?} {converted:?}");
                assert!(converted.stderr.contains(named), "{name}: {}", converted.stderr);
            }
        }
        let recognised = run_to_end(s3cors(&["convert", "--to", "json"]), text);
        assert_eq!(recognised.code, converted.code, "{name} without --from: {recognised:?}");
    }
}

/// No rules are in these, so that there is nothing to convert.
#[test]
fn what_is_about_cors_and_has_no_rules_is_named() {
    let command = ("a command that names a document", "check the document that it names");
    let proxy = ("the configuration of a proxy or server with CORS of its own", "write a rule: each origin");
    for (text, (what, hint)) in [
        ("mc cors set play/b cors.xml\n", command),
        ("#!/bin/sh\ns3cmd setcors cors.xml s3://b\n", command),
        ("npx wrangler r2 bucket cors set b --file cors.json\n", command),
        ("server {\n  add_header Access-Control-Allow-Origin https://shop.example always;\n}\n", proxy),
        ("shop.example {\n\theader Access-Control-Allow-Origin *\n}\n", proxy),
        ("MINIO_API_CORS_ALLOW_ORIGIN=https://shop.example\n", proxy),
    ] {
        let checked = run_to_end(s3cors(&["check", "-"]), text);
        let converted = run_to_end(s3cors(&["convert", "--to", "json"]), text);
        for said in [&checked.stdout, &converted.stderr] {
            assert!(said.contains(&format!("this is {what}")) && said.contains(hint), "{text}: {said}");
            assert!(!said.contains("XML you provided"), "{text}: {said}");
        }
        assert_eq!((checked.code, converted.code), (Some(1), Some(1)), "{text}");
    }
}

#[test]
fn a_text_in_no_known_form_is_called_that() {
    for text in ["[default]\ncors = true\n", "server {\n  listen 80;\n}\n", "port: 1\n", "hello\n"] {
        let checked = run_to_end(s3cors(&["check", "-"]), text);
        let told =
            "not valid: 1 error, 0 warnings\n<stdin>:1:1: error: MalformedXML: this is neither XML nor JSON; hint: ";
        assert!(checked.code == Some(1) && checked.stdout.starts_with(told), "{text}: {checked:?}");
        assert!(!checked.stdout.contains("S3's message"), "{text}: {checked:?}");
        let converted = run_to_end(s3cors(&["convert", "--to", "json"]), text);
        assert!(converted.stderr.contains("neither XML nor JSON"), "{text}: {converted:?}");
    }
}

#[test]
fn check_reads_standard_input() {
    let valid = r#"[{"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"]}]"#;
    let checked = run_to_end(s3cors(&["check", "-"]), valid);
    assert_eq!((checked.code, &*checked.stdout), (Some(0), "valid: 0 errors, 0 warnings\n"), "{checked:?}");
    let warned =
        run_to_end(s3cors(&["check", "--strict", "--format", "json", "-"]), &valid.replace(".example", ".example/"));
    let found: Value = serde_json::from_str(&warned.stdout).unwrap();
    assert_eq!(
        (warned.code, &found["warnings"][0]["file"], &found["files"][0]),
        (Some(1), &"<stdin>".into(), &"<stdin>".into())
    );
    let long = run_to_end(s3cors(&["check", "-"]), &" ".repeat(70_000));
    assert!(long.stdout.contains("MaxMessageLengthExceeded"), "{long:?}");
}

#[test]
fn a_placeholder_in_s3s_own_document_stays_and_is_named() {
    let text = r#"[{"AllowedOrigins": ["https://${DOMAIN}"], "AllowedMethods": ["GET"]}]"#;
    let converted = run_to_end(s3cors(&["convert", "--to", "json"]), text);
    assert_eq!((converted.code, origins(&converted.stdout)), (Some(0), vec!["https://${DOMAIN}".to_owned()]));
    assert!(converted.stderr.contains("${DOMAIN} is a placeholder that was not filled in"), "{converted:?}");
}

#[test]
fn the_help_of_convert_lists_each_form() {
    let help = run(&["convert", "--help"]).stdout;
    for form in
        ["terraform", "pulumi", "crossplane", "cdk", "cloudformation", "r2", "gcs", "b2", "azure", "traefik", "istio"]
    {
        assert!(help.contains(&format!("- {form}:")), "{form}: {help}");
    }
    assert!(help.contains("s3cors convert --from terraform --to json main.tf"), "{help}");
}
