//! The forms of tools that make buckets, and of gateways.

use super::{From, check, converted};

#[test]
fn rules_of_tools_that_make_buckets_become_s3s() {
    let rule = r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"],
                    "MaxAgeSeconds": 60}]"#;
    let snake = "allowed_origins = [\"https://a\"]\nallowed_methods = [\"GET\"]\nallowed_headers = [\"*\"]\n\
                 expose_headers = [\"ETag\"]\nmax_age_seconds = 60\n";
    let camel = "allowedOrigins: ['https://a'], allowedMethods: ['GET'], allowedHeaders: ['*'], exposeHeaders: ['ETag'], \
                 maxAgeSeconds: 60";
    let cdk = "allowedOrigins: ['https://a'], allowedMethods: [s3.HttpMethods.GET], allowedHeaders: [\"*\"],\n// ours\n\
               exposedHeaders: [`ETag`], maxAge: 60,";
    for (from, text) in [
        (From::Terraform, format!("resource \"aws_s3_bucket_cors_configuration\" \"b\" {{\nbucket = aws_s3_bucket.b.id\ncors_rule {{\n{snake}}}\n}}")),
        (From::Terraform, format!("resource \"aws_s3_bucket\" \"b\" {{\n  # old\n  cors_rule {{\n{snake}}}\n}}")),
        (From::Terraform, format!("module \"b\" {{\nsource = \"x\"\ncors_rule = [{{\n{snake}}}]\n}}")),
        (
            From::Terraform,
            r#"{"resource": {"aws_s3_bucket_cors_configuration": {"b": {"bucket": "${aws_s3_bucket.b.id}", "cors_rule": [{
               "allowed_origins": ["https://a"], "allowed_methods": ["GET"], "allowed_headers": ["*"], "expose_headers": ["ETag"],
               "max_age_seconds": 60}]}}}}"#.to_owned(),
        ),
        (From::Pulumi, format!("resources:\n  b:\n    type: aws:s3:BucketV2\n    properties:\n      bucket: ${{x.id}}\n      corsRules: [{{{camel}}}]\n")),
        (From::Pulumi, format!("import * as aws from '@pulumi/aws';\nconst b = new aws.s3.Bucket('b', {{\n  corsRules: [{{{camel}}}],\n}});\n")),
        (
            From::Pulumi,
            "import pulumi_aws as aws\nb = aws.s3.Bucket('b', cors_rules=[aws.s3.BucketCorsRuleArgs(allowed_origins=['https://a'], \
             allowed_methods=['GET'], allowed_headers=['*'], expose_headers=['ETag'], max_age_seconds=60)])\n".to_owned(),
        ),
        (
            From::Crossplane,
            format!("apiVersion: s3.aws.upbound.io/v1beta1\nkind: BucketCorsConfiguration\nspec:\n  forProvider:\n    corsRule: [{{{camel}}}]\n"),
        ),
        (
            From::Crossplane,
            format!("apiVersion: s3/v1\nkind: Bucket\nspec:\n  forProvider:\n    corsConfiguration:\n      corsRules: [{{{camel}}}]\n"),
        ),
        (From::Cdk, format!("new s3.Bucket(this, 'B', {{\n  versioned: props.versioned,\n  cors: [{{{cdk}}}],\n}});")),
        (From::Cdk, format!("cors: [{{{cdk}}}]")),
        (From::Cdk, format!("const cors: s3.CorsRule[] = [{{{cdk}}}];\nnew s3.Bucket(this, 'B');\n")),
        (From::Cdk, format!("bucket.addCorsRule({{{cdk}}});")),
        (
            From::Terraform,
            "module \"b\" {\n  cors_rule = jsonencode(concat([{ allowed_origins = tolist([\"https://a\"]), allowed_methods = \
             toset([\"GET\"]), allowed_headers = [\"*\"], expose_headers = [\"ETag\"], max_age_seconds = 60 }], []))\n}\n".to_owned(),
        ),
        (
            From::Json,
            "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nspec:\n  cors:\n    corsRules:\n    - allowedHeaders: ['*']\n      \
             allowedMethods: [METHOD_GET]\n      allowedOrigins: [https://a]\n      exposeHeaders: [ETag]\n      maxAgeSeconds: 60\n".to_owned(),
        ),
        (
            From::CloudFormation,
            "provider:\n  s3:\n    uploads:\n      corsConfiguration:\n        CorsRules:\n        - AllowedOrigins: [https://a]\n          \
             AllowedMethods: [GET]\n          AllowedHeaders: ['*']\n          ExposedHeaders: [ETag]\n          MaxAge: 60\n".to_owned(),
        ),
        (
            From::Json,
            "{'CORSRules': [{'AllowedOrigins': ['https://a'], 'AllowedMethods': ['GET'], 'AllowedHeaders': ['*'], # all\n'ExposeHeaders': \
             ['ETag'], 'MaxAgeSeconds': 60,}]}".to_owned(),
        ),
        (
            From::Json,
            "<?php\n$s3->putBucketCors(['Bucket' => $b, 'CORSConfiguration' => ['CORSRules' => [[\n'AllowedOrigins' => ['https://a'], \
             'AllowedMethods' => ['GET'], 'AllowedHeaders' => ['*'], 'ExposeHeaders' => ['ETag'], 'MaxAgeSeconds' => 60]]]]);\n".to_owned(),
        ),
        (
            From::Json,
            "import { PutBucketCorsCommand } from '@aws-sdk/client-s3';\nconst c = new PutBucketCorsCommand({ CORSConfiguration: { CORSRules: \
             [{ AllowedOrigins: ['https://a'], AllowedMethods: ['GET'], AllowedHeaders: ['*'], ExposeHeaders: ['ETag'], MaxAgeSeconds: 60 }] } });\n"
                .to_owned(),
        ),
        (
            From::Cdk,
            r#"{"cors": [{"allowedOrigins": ["https://a"], "allowedMethods": ["GET"], "allowedHeaders": ["*"],
                "exposedHeaders": ["ETag"], "maxAge": 60}]}"#.to_owned(),
        ),
        (From::Json, format!("corsRules: [{{{camel}}}]")),
        (
            From::Json,
            r#"{"cors_rules": [{"allowed_origin": "https://a", "allowed_methods": ["GET"], "allowed_headers": ["*"],
                "expose_headers": ["ETag"], "max_age_seconds": "60"}]}"#.to_owned(),
        ),
        (
            From::Json,
            "CORSRules:\n- AllowedOrigins: [https://a]\n  AllowedMethods: [GET]\n  AllowedHeaders: ['*']\n  ExposeHeaders: &e [ETag]\n  \
             MaxAgeSeconds: 60\n".to_owned(),
        ),
        (
            From::Json,
            "- name: CORS\n  community.aws.s3_cors:\n    name: b\n    state: present\n    rules:\n    - allowed_origins: [https://a]\n      \
             allowed_methods: [GET]\n      allowed_headers: ['*']\n      expose_headers: [ETag]\n      max_age_seconds: 60\n".to_owned(),
        ),
        (
            From::Json,
            "aws s3api put-bucket-cors --bucket b --cors-configuration \\\n 'CORSRules=[{AllowedOrigins=[https://a],AllowedMethods=[GET],\
             AllowedHeaders=[\"*\"],ExposeHeaders=[ETag],MaxAgeSeconds=60}]'\n".to_owned(),
        ),
        (
            From::Json,
            "aws s3api put-bucket-cors --bucket b --cors-configuration '{\"CORSRules\": [{\"AllowedOrigins\": [\"https://a\"], \
             \"AllowedMethods\": [\"GET\"], \"AllowedHeaders\": [\"*\"], \"ExposeHeaders\": [\"ETag\"], \"MaxAgeSeconds\": 60}]}'\n"
                .to_owned(),
        ),
        (
            From::CloudFormation,
            "service: s\ncustom:\n  stage: ${opt:stage}\nresources:\n- Resources:\n    B:\n      Properties:\n        BucketName: b-${x}\n        \
             CorsConfiguration:\n          CorsRules:\n          - AllowedOrigins: [https://a]\n            AllowedMethods: [GET]\n            \
             AllowedHeaders: ['*']\n            ExposedHeaders: [ETag]\n            MaxAge: 60\n".to_owned(),
        ),
    ] {
        check(&[(from, &text, rule, &[])]);
    }
}

/// The list itself is somewhere else in the same text.
#[test]
fn a_name_that_stands_for_the_only_list_is_taken_for_it() {
    let rule = r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"]}]"#;
    check(&[
        (
            From::Terraform,
            "locals {\n  rules = [{ allowed_origins = [\"https://a\"], allowed_methods = [\"GET\"] }]\n}\nmodule \"b\" {\n  cors_rule = local.rules\n}\n",
            rule,
            &["local.rules in line 5 is taken for the list at locals[0].rules"],
        ),
        (
            From::Json,
            "import boto3\ncors_configuration = {'CORSRules': [{'AllowedOrigins': ['https://a'], 'AllowedMethods': ['GET']}]}\n\
             s3.put_bucket_cors(Bucket='b', CORSConfiguration=cors_configuration)\n",
            rule,
            &["cors_configuration in line 3 is taken for the list at line 2.cors_configuration.CORSRules"],
        ),
    ]);
    for text in [
        "locals {\n  rules = [{ allowed_origins = [\"*\"], allowed_methods = [\"GET\"] }]\n}\nmodule \"b\" {\n  cors_rule = local.others\n}\n",
        "locals {\n  rules = [{ allowed_origins = [\"*\"], allowed_methods = [\"GET\"] }]\n}\nmodule \"b\" {\n  cors_rule = var.rules\n}\n",
        "locals {\n  rules = [{ allowed_origins = var.o, allowed_methods = [\"GET\"] }]\n}\nmodule \"b\" {\n  cors_rule = local.rules\n}\n",
    ] {
        assert!(converted(From::Auto, text).is_err(), "{text}");
    }
}

#[test]
fn a_document_in_a_config_map_is_read() {
    let xml = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>\
               </CORSConfiguration>";
    let one = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  note: x\n  b.xml: |\n    {xml}\n");
    check(&[(From::Json, &one, r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]"#, &["b.xml is read"])]);
    let error = converted(From::Auto, &format!("{one}  c.xml: |\n    {xml}\n")).unwrap_err();
    assert!(error.contains("b.xml, c.xml: several documents"), "{error}");
}

#[test]
fn the_policies_of_meshes_become_s3s() {
    let always = ["HEAD is added", "POST is added"];
    check(&[
        (
            From::Traefik,
            "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nspec:\n  headers:\n    accessControlAllowOriginList: ['https://a', 'https://*.b']\n    \
             accessControlAllowMethods: [GET, OPTIONS, PUT]\n    accessControlAllowHeaders: ['*', 'x-*']\n    accessControlMaxAge: 100\n    \
             accessControlAllowCredentials: true\n    addVaryHeader: true\n",
            r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET", "PUT", "HEAD", "POST"], "AllowedHeaders": ["*"],
              "MaxAgeSeconds": 100}]"#,
            &[
                "header * is any header in S3; with credentials",
                "origin https://*.b is left out",
                always[0],
                always[1],
                "header x-* is left out",
                "OPTIONS is left out",
            ],
        ),
        (
            From::Traefik,
            "services:\n  s3:\n    labels:\n    - traefik.enable=true\n    - traefik.http.middlewares.c.headers.accesscontrolallowmethods=GET,HEAD,POST\n    \
             - traefik.http.middlewares.c.headers.accesscontrolalloworiginlist=https://a,https://b\n    \
             - traefik.http.middlewares.c.headers.accesscontrolallowcredentials=true\n",
            r#"[{"AllowedOrigins": ["https://a", "https://b"], "AllowedMethods": ["GET", "HEAD", "POST"]}]"#,
            &[],
        ),
        (
            From::Traefik,
            "# ours\n[http.middlewares]\n  [http.middlewares.c.headers]\n    accessControlAllowOriginList = [\"https://a\"]\n    \
             accessControlAllowMethods = [\"GET\", \"HEAD\", \"POST\"]\n    accessControlAllowCredentials = true\n    accessControlMaxAge = 100\n",
            r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET", "HEAD", "POST"], "MaxAgeSeconds": 100}]"#,
            &[],
        ),
        (
            From::Istio,
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec:\n  http:\n  - corsPolicy:\n      allowOrigins:\n      - exact: https://a\n      \
             - prefix: https://b\n      - regex: '.*\\.c'\n      allowMethods: [GET, HEAD, POST]\n      allowCredentials: true\n      maxAge: 24h\n",
            r#"[{"AllowedOrigins": ["https://a", "https://b*"], "AllowedMethods": ["GET", "HEAD", "POST"], "MaxAgeSeconds": 86400}]"#,
            &["regular expression .*\\.c is left out"],
        ),
    ]);
}
