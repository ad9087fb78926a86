//! A value that a document leaves to its tool is an error.

use super::{From, converted};

/// Each is an error that shows the text as it stands, and its line where it is not the first.
#[test]
fn what_only_its_own_tool_can_compute_is_an_error_that_names_it() {
    let template = |origins: &str| {
        format!(
            "Resources:\n  B:\n    Properties:\n      CorsConfiguration:\n        CorsRules:\n        - AllowedMethods: [GET]\n          AllowedOrigins: {origins}\n"
        )
    };
    let terraform = |origins: &str| {
        format!(
            "resource \"aws_s3_bucket\" \"b\" {{\n cors_rule {{\n  allowed_methods = [\"GET\"]\n  allowed_origins = {origins}\n }}\n}}\n"
        )
    };
    let cdk = |origins: &str| {
        format!("cors: [{{\n  allowedMethods: [s3.HttpMethods.GET],\n  allowedOrigins: {origins},\n}}]")
    };
    let pulumi = |origins: &str| {
        format!(
            "resources:\n  b:\n    type: aws:s3:Bucket\n    properties:\n      corsRules:\n      - allowedMethods: [GET]\n        allowedOrigins: {origins}\n"
        )
    };
    let whole = "Resources:\n  B:\n    Properties:\n      CorsConfiguration: !If [IsDev, {CorsRules: [{AllowedOrigins: ['*'], AllowedMethods: [GET]}]}, !Ref X]\n";
    for (text, named) in [
        (template("!Ref Origins"), "!Ref Origins in line 7"),
        (template("[!Sub 'https://${Stage}.a']"), "!Sub 'https://${Stage}.a' in line 7"),
        (template("!If [IsDev, '*', !Ref X]"), "!If [IsDev, '*', !Ref X] in line 7"),
        (template("[!If [IsDev, '*', !Ref X]]"), "!If [IsDev, '*', !Ref X] in line 7"),
        (template("!Split [',', !Ref Origins]"), "!Split [',', !Ref Origins] in line 7"),
        (template("!Join ['', [https://, !Ref X]]"), "!Join"),
        (template("{Ref: Origins}"), "Ref"),
        (template("[{'Fn::Sub': 'https://${X}'}]"), "Fn::Sub"),
        (template("\n            Fn::Split:\n            - ','\n            - !Ref X"), "Fn::Split: - ',' - !Ref X in line 8"),
        (template("['${self:custom.origin}']"), "${self:custom.origin}"),
        (template("['*']\n          AllowedHeaders: !Ref Headers"), "AllowedHeaders has !Ref Headers in line 8"),
        (template("['*']\n          Fn::Transform: x"), "Fn::Transform"),
        (template("['*']\n          MaxAge: !Ref Age"), "MaxAge is !Ref Age in line 8"),
        (whole.to_owned(), "!If [IsDev,"),
        (terraform("var.origins"), "var.origins in line 4"),
        (terraform("[\"https://${var.x}.a\"]"), "https://${var.x}.a"),
        (terraform("concat([\"*\"], local.more)"), "concat([\"*\"], local.more) in line 4"),
        (terraform("[for o in var.o : o]"), "[for o in var.o : o]"),
        (terraform("var.dev ? [\"*\"] : []"), "var.dev ? [\"*\"] : []"),
        (terraform("[\"*\"]\n }\n dynamic \"cors_rule\" {\n for_each = var.r\n content {\n allowed_origins = [\"*\"]\n }"), "dynamic \"cors_rule\" in line 6"),
        ("module \"b\" {\n cors_rule = var.rules\n}\n".to_owned(), "var.rules in line 2"),
        ("module \"b\" {\n cors_rule = concat(var.rules, [{allowed_origins = [\"*\"]}])\n}\n".to_owned(), "concat("),
        (cdk("[props.origin]"), "props.origin in line 3"),
        (cdk("origins"), "origins in line 3"),
        (cdk("[`https://${stage}.a`]"), "https://${stage}.a"),
        (cdk("['*', ...more]"), "...more in line 3"),
        (cdk("isDev ? ['*'] : origins"), "isDev ? ['*'] : origins"),
        (cdk("['https://' + domain]"), "'https://' + domain"),
        (cdk("['*'], ...rest"), "...rest"),
        (cdk("['*'].concat(more)"), "['*'].concat(more)"),
        ("new s3.Bucket(this, 'B', { cors: corsRules })".to_owned(), "corsRules in line 1"),
        (pulumi("['${origin}']"), "${origin}"),
        (pulumi("${config.origins}"), "${config.origins} \"".trim_end_matches([' ', '"'])),
        (pulumi("{'fn::split': {}}"), "fn::split"),
        ("corsRules:\n- allowedMethods: [GET]\n  allowedOrigins: ['{{ origin }}']\n".to_owned(), "{{ origin }}"),
        ("corsRules:\n- allowedMethods: [GET]\n  allowedOrigins: {{ .Values.origins }}\n".to_owned(), "{{ .Values.origins }}"),
        ("corsRules:\n{{- range .Values.rules }}\n- allowedMethods: [GET]\n{{- end }}\n".to_owned(), "line 2: {{- range .Values.rules }} is a template"),
        ("- a.s3_cors:\n    rules: '{{ cors_rules }}'\n    x: {allowed_origins: ['*']}\n".to_owned(), "{{ cors_rules }}"),
        ("- a.s3_cors:\n    state: absent\n    rules: [{allowed_origins: ['*'], allowed_methods: [GET]}]\n".to_owned(), "state: absent"),
        (
            "labels:\n- traefik.http.middlewares.c.headers.accesscontrolalloworiginlist=https://a\n\
             - traefik.http.middlewares.c.headers.accesscontrolalloworiginlist=*\n"
                .to_owned(),
            "with two values",
        ),
        (
            "- a.s3_cors:\n    state: '{{ s }}'\n    rules: [{allowed_origins: ['*'], allowed_methods: [GET]}]\n"
                .to_owned(),
            "{{ s }}",
        ),
        (
            "[http.middlewares.c.headers]\n  accessControlAllowOriginList = [\"{{ env \\\"ORIGIN\\\" }}\"]\n".to_owned(),
            "ORIGIN",
        ),
        ("package main\nvar rule = s3.CORSRule{\n\tAllowedOrigins: origins,\n}\n".to_owned(), "no CORS rules that stand as data"),
        ("new Bucket(this, 'B', {\n  cors: { allowOrigins: ['https://a'], allowMethods: ['GET'] },\n});\n".to_owned(), "no CORS rules that stand as data"),
        (cdk("%w[a b]"), "%w[a b] in line 3"),
        (
            "import boto3\ncors_rules = [{'AllowedOrigins': ['https://a'], 'AllowedMethods': ['GET']}]\ncors_rules += more\n\
             s3.put_bucket_cors(CORSConfiguration={'CORSRules': cors_rules})\n"
                .to_owned(),
            "cors_rules += more in line 3",
        ),
        (
            "import boto3\ncors_rules = [{'AllowedOrigins': ['*'], 'AllowedMethods': ['GET']}]\ncors_rules[0]['AllowedOrigins'] = [origin]\n".to_owned(),
            "cors_rules[0]['AllowedOrigins'] = [origin] in line 3",
        ),
        (
            "const corsRules = [{ allowedOrigins: ['https://a'], allowedMethods: ['GET'] }];\ncorsRules.push(other);\n".to_owned(),
            "corsRules.push(other); in line 2",
        ),
        ("CORSRules=[{AllowedOrigins=[${ORIGIN}],AllowedMethods=[GET]}]".to_owned(), "${ORIGIN}"),
        ("aws s3api put-bucket-cors --bucket b --cors-configuration file://cors.json".to_owned(), "file://cors.json names a file"),
        (r#"{"corsRules": [{"allowedOrigins": ["*"], "allowedOrigins": ["a"], "allowedMethods": ["GET"]}]}"#.to_owned(), "a name occurs twice"),
        (r#"{"corsRules": [{"allowedOrigins": ["*"], "allowed_origins": ["a"], "allowedMethods": ["GET"]}]}"#.to_owned(), "twice, in two spellings"),
        (r#"{"corsRules": [{"allowedOrigins": ["*"], "allowedMethods": ["*"]}]}"#.to_owned(), "no wildcard for methods"),
        (
            "resource \"a\" \"x\" {\n cors_rule {\n allowed_origins = [\"*\"]\n }\n}\nresource \"a\" \"y\" {\n cors_rule {\n allowed_origins = [\"*\"]\n }\n}\n"
                .to_owned(),
            "resource.a.x[0].cors_rule, resource.a.y[0].cors_rule: several lists of rules",
        ),
    ] {
        let error = converted(From::Auto, &text).expect_err(&text);
        assert!(error.contains(named), "{text}\n{error}");
    }
}

#[test]
fn an_alias_cannot_make_a_document_grow_without_limit() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for depth in 1..10 {
        let before = format!("*a{},", depth - 1).repeat(10);
        text.push_str(&format!("a{depth}: &a{depth} [{before}]\n"));
    }
    let error = converted(From::R2, &text).unwrap_err();
    assert!(error.contains("too many values"), "{error}");
    let deep = "[".repeat(100_000);
    for from in [From::Cdk, From::Pulumi, From::Terraform, From::Json, From::Traefik] {
        assert!(converted(from, &format!("cors = {deep}")).is_err());
        assert!(converted(from, &deep).is_err());
    }
}
