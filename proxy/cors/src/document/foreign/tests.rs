//! Forms by example, and texts in no known form.

use super::ForeignForm;

#[test]
fn a_form_is_known_by_names_that_only_it_has() {
    use ForeignForm::{
        Azure, B2, BareRule, BucketPolicy, Cdk, CliInput, CloudFormation, ConfigMap, Crossplane, GatewayApi, Gcs,
        IngressNginx, Istio, OtherCase, Pulumi, R2, Terraform, Traefik, XmlAsJson,
    };
    for (text, form) in [
        (r#"{"rules": [{"allowed": {"origins": ["*"]}}]}"#, Some(R2)),
        (r#"{"rules": [{"AllowedOrigins": ["*"]}]}"#, Some(R2)),
        (r#"[{"allowed": {"origins": ["*"]}}]"#, Some(R2)),
        (r#"[{"origin": ["*"], "method": ["GET"]}]"#, Some(Gcs)),
        (r#"{"origin": ["*"]}"#, Some(Gcs)),
        (r#"{"name": "b", "cors": [{"method": ["GET"]}]}"#, Some(Gcs)),
        (r#"{"cors_config": [{"method": ["GET"]}]}"#, Some(Gcs)),
        ("<?xml version='1.0'?>\n<CorsConfig/>", Some(Gcs)),
        (r#"[{"corsRuleName": "r"}]"#, Some(B2)),
        (r#"{"bucketName": "b", "corsRules": [{"allowedOperations": ["s3_get"]}]}"#, Some(B2)),
        (r#"{"cors": {"corsRules": [{"exposedHeaders": ["*"]}]}}"#, Some(Azure)),
        (r#"{"properties": {"cors": {"corsRules": [{"maxAgeInSeconds": 1}]}}}"#, Some(Azure)),
        (r#"[{"AllowedOrigins": "*", "MaxAgeInSeconds": 200, "Service": "blob"}]"#, Some(Azure)),
        ("<!-- c --><StorageServiceProperties/>", Some(Azure)),
        (r#"{"Resources": {"B": {"Properties": {"CorsConfiguration": {}}}}}"#, Some(CloudFormation)),
        (r#"{"CorsConfiguration": {"CorsRules": []}}"#, Some(CloudFormation)),
        (r#"{"CorsRules": [{"AllowedOrigins": ["*"], "MaxAge": 1}]}"#, Some(CloudFormation)),
        (r#"{"kind": "Ingress", "metadata": {}}"#, Some(IngressNginx)),
        (r#"{"kind": "List", "items": [{"kind": "HTTPRoute"}]}"#, Some(GatewayApi)),
        (r#"{"kind": "ConfigMap", "data": {"a.xml": ""}}"#, Some(ConfigMap)),
        (r#"{"Bucket": "b", "CORSConfiguration": {"CORSRules": []}}"#, Some(CliInput)),
        (r#"{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}"#, Some(BareRule)),
        (r#"{"CORSConfiguration": {"CORSRule": {}}}"#, Some(XmlAsJson)),
        (r#"{"CORSRule": []}"#, Some(XmlAsJson)),
        ("<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>", Some(BareRule)),
        (r#"{"Version": "2012-10-17", "Statement": []}"#, Some(BucketPolicy)),
        (r#"[{"allowedOrigins": ["*"]}]"#, Some(OtherCase)),
        (r#"{"cors_rules": [{"allowed_origin": "*", "allowed_methods": ["GET"]}]}"#, Some(OtherCase)),
        (r#"{"cors": [{"allowedOrigins": ["*"], "exposedHeaders": [], "maxAge": 1}]}"#, Some(Cdk)),
        (r#"{"cors": [{"allowedOrigins": ["*"], "exposedHeaders": []}]}"#, Some(Cdk)),
        (r#"{"resource": {"aws_s3_bucket": {"b": {"cors_rule": [{"allowed_methods": []}]}}}}"#, Some(Terraform)),
        (
            r#"{"resources": {"b": {"type": "aws:s3:Bucket", "properties": {"corsRules": [{"allowedOrigins": []}]}}}}"#,
            Some(Pulumi),
        ),
        (
            r#"{"apiVersion": "s3/v1", "kind": "Bucket", "spec": {"forProvider": {"corsRule": [{"allowedMethods": []}]}}}"#,
            Some(Crossplane),
        ),
        (r#"{"spec": {"headers": {"accessControlAllowOriginList": ["*"]}}}"#, Some(Traefik)),
        (r#"{"spec": {"http": [{"corsPolicy": {"allowOrigins": []}}]}}"#, Some(Istio)),
        // S3's own, with mistakes of its own.
        (r#"{"CORSRules": [{"AllowedOrigins": ["*"]}]}"#, None),
        (r#"[{"AllowedOrigins": ["*"], "ExposedHeaders": ["ETag"]}]"#, None),
        (r#"{"CorsRules": [{"AllowedOrigins": ["*"]}]}"#, None),
        (r#"[{"AllowedOrigins": ["*"],}]"#, None),
        ("<CORSConfiguration/>", None),
        ("[1, [], {}]", None),
        ("{}", None),
        ("{", None),
        ("", None),
    ] {
        assert_eq!(ForeignForm::recognise(text), form, "{text}");
    }
}

#[test]
fn a_text_that_is_neither_json_nor_xml_is_known_by_its_names_too() {
    use ForeignForm::{
        Ansible, Azure, B2, Cdk, CloudFormation, ConfigMap, Crossplane, GatewayApi, Gcs, IngressNginx, Istio,
        OtherCase, Pulumi, R2, Shorthand, Terraform, Traefik, Yaml,
    };
    for (text, form) in [
        ("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n", Some(IngressNginx)),
        ("# ours\n---\nkind: \"HTTPRoute\"\r\napiVersion: gateway.networking.k8s.io/v1\r\n", Some(GatewayApi)),
        (
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: networking.k8s.io/v1\n  kind: Ingress\n",
            Some(IngressNginx),
        ),
        ("apiVersion: v1\nkind: Service\n", None),
        ("kind: Ingress\n", None),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  b.xml: <CORSRule>", Some(ConfigMap)),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  b.conf: x", None),
        ("apiVersion: s3/v1\nkind: Bucket\nspec:\n  forProvider:\n    corsRule:\n", Some(Crossplane)),
        ("apiVersion: t/v1\nkind: Middleware\nspec:\n  headers:\n    accessControlAllowOriginList:\n", Some(Traefik)),
        ("labels:\n- traefik.http.middlewares.a.headers.accesscontrolalloworiginlist=*\n", Some(Traefik)),
        ("[http.middlewares.a.headers]\naccessControlAllowOriginList = [\"*\"]\n", Some(Traefik)),
        ("apiVersion: n/v1\nkind: VirtualService\nspec:\n  http:\n  - corsPolicy:\n", Some(Istio)),
        ("resource \"aws_s3_bucket\" \"b\" {\n  cors_rule {\n", Some(Terraform)),
        ("dynamic \"cors_rule\" {\n  for_each = var.rules\n", Some(Terraform)),
        ("cors_rule = [{ allowed_methods = [\"GET\"] }]", Some(Terraform)),
        ("resource \"aws_instance\" \"b\" {\n  ami = 1\n}\n", None),
        ("Resources:\n  B:\n    Properties:\n      CorsConfiguration:\n", Some(CloudFormation)),
        ("CorsRules:\n- AllowedOrigins: ['*']\n", Some(CloudFormation)),
        ("resources:\n  b:\n    type: aws:s3:BucketV2\n    properties:\n      corsRules:\n", Some(Pulumi)),
        ("new aws.s3.Bucket('b', { corsRules: [{ allowedOrigins: ['*'] }] })", Some(Pulumi)),
        ("cors: [{ allowedMethods: [s3.HttpMethods.GET], allowedOrigins: ['*'] }]", Some(Cdk)),
        ("[{ allowedMethods: [HttpMethods.GET], allowedOrigins: ['*'] }]", Some(Cdk)),
        ("bucket.addCorsRule({ allowedMethods: m, allowedOrigins: o })", Some(Cdk)),
        ("- community.aws.s3_cors:\n    rules:\n    - allowed_origins: ['*']\n", Some(Ansible)),
        ("CORSRules=[{AllowedOrigins=[*]}]", Some(Shorthand)),
        ("aws s3api put-bucket-cors --cors-configuration '{}'", Some(Shorthand)),
        ("cors_config:\n- method: [GET]\n  origin: ['*']\n", Some(Gcs)),
        ("rules:\n- allowed:\n    origins: ['*']\n", Some(R2)),
        ("corsRules:\n- allowedOperations: [s3_get]\n", Some(B2)),
        ("corsRules:\n- maxAgeInSeconds: 1\n", Some(Azure)),
        ("CORSRules:\n- AllowedOrigins: ['*']\n", Some(Yaml)),
        ("- AllowedOrigins: ['*']\n", Some(Yaml)),
        ("cors_rules:\n- allowed_origins: ['*']\n", Some(OtherCase)),
        ("{corsRules: [{allowedOrigins: ['*']}]}", Some(OtherCase)),
        ("# allowedOrigins: they are elsewhere\nport: 1\n", None),
        ("hello", None),
    ] {
        assert_eq!(ForeignForm::recognise(text), form, "{text}");
    }
}
