//! The form of a text that is neither JSON nor XML, by the names in it: no YAML, HCL or TypeScript is read here.
//!
//! Decides: which tool's text it is. Must not know: where in it the rules are.

use super::ForeignForm;
use std::collections::HashSet;

/// Recognises a text by what it gives values to, and by few words that only one tool has.
pub(super) fn form(text: &str) -> Option<ForeignForm> {
    let begins_like_json = text.trim_start().starts_with(['{', '[']);
    let names = Names::of(text);
    names
        .command()
        .or_else(|| names.of_gateway())
        .or_else(|| names.of_kubernetes())
        .or_else(|| names.of_tool())
        .or_else(|| names.of_program().filter(|_| !begins_like_json))
        .or_else(|| names.of_rule(begins_like_json))
        .or_else(|| names.without_rules().filter(|_| !begins_like_json))
}

/// The names that lines give a value to, and the text itself.
struct Names<'t> {
    text: &'t str,
    names: HashSet<&'t str>,
    /// The same without case and separators.
    plain: HashSet<String>,
}

/// Returns a name without case and separators.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

const fn is_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '/')
}

impl<'t> Names<'t> {
    fn of(text: &'t str) -> Self {
        let mut names = HashSet::new();
        for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with(['#', '/'])) {
            let mut rest = line;
            while let Some(start) = rest.find(is_part) {
                let from = rest.get(start..).unwrap_or_default();
                let (name, after) = from.split_at(from.find(|character| !is_part(character)).unwrap_or(from.len()));
                let next = after.trim_start_matches(['"', '\'']).trim_start();
                if next.starts_with([':', '=', '{']) {
                    names.insert(name);
                }
                rest = after;
            }
        }
        let plain = names.iter().map(|name| plain(name)).collect();
        Self { text, names, plain }
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.names.contains(name))
    }

    fn has_plain(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.plain.contains(*name))
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.contains(word))
    }

    fn begins_a_line(&self, words: &[&str]) -> bool {
        self.text.lines().any(|line| words.iter().any(|word| line.trim_start().starts_with(word)))
    }

    /// The AWS CLI's shorthand, alone or in its command.
    fn command(&self) -> Option<ForeignForm> {
        let is_command = self.says(&["--cors-configuration"]) || self.text.trim_start().starts_with("CORSRules=");
        is_command.then_some(ForeignForm::Shorthand)
    }

    /// The values of all `kind:` lines decide; in a list they are indented.
    fn of_kubernetes(&self) -> Option<ForeignForm> {
        if !self.has(&["apiVersion"]) {
            return None;
        }
        let kinds = self.text.lines().filter_map(|line| {
            let value = line.trim_start_matches([' ', '-', '\t']).strip_prefix("kind:")?;
            Some(value.trim().trim_matches(['"', '\'']))
        });
        let is_cors = self.has_plain(&["corsrule", "corsrules", "corsconfiguration", "allowedorigins"]);
        let form = |kind: &str| match kind {
            _ if self.has(&["forProvider"]) && is_cors => Some(ForeignForm::Crossplane),
            "ConfigMap" | "Secret" if is_cors || self.says(&["<CORSRule", "<AllowedOrigin"]) => {
                Some(ForeignForm::ConfigMap)
            }
            kind => of_kind(kind),
        };
        let mut kinds = kinds.into_iter().peekable();
        let has_kind = kinds.peek().is_some();
        // Other resources that make buckets: AWS Controllers for Kubernetes, operators of stores.
        kinds.find_map(form).or_else(|| (has_kind && is_cors).then_some(ForeignForm::OtherCase))
    }

    /// By the names and words of one tool.
    fn of_tool(&self) -> Option<ForeignForm> {
        let is_cors = self.has_plain(&["cors", "corsrule", "corsrules", "corsconfiguration", "allowedorigins"])
            || self.says(&["addCorsRule", "add_cors_rule", "dynamic \"cors_rule\""]);
        let is_rules = self.has(&["allowed"]) && self.has(&["origins"]);
        if self.begins_a_line(&HCL) && (is_cors || is_rules) {
            return Some(ForeignForm::Terraform);
        }
        if !is_cors {
            return None;
        }
        if self.says(&["pulumi", "aws:s3", "aws-native:s3", "new aws.s3", "aws.s3.Bucket"]) {
            Some(ForeignForm::Pulumi)
        } else if self.says(&[
            "aws-cdk",
            "aws_cdk",
            "HttpMethods.",
            "new s3.",
            "CfnBucket",
            "addCorsRule",
            "add_cors_rule",
        ]) {
            Some(ForeignForm::Cdk)
        } else if self.has(&["cors_rule", "cors_rules"])
            && self.says(&[" = [", " = {"])
            && !self.has_words_of_a_program()
        {
            Some(ForeignForm::Terraform)
        } else if self.has(&["CorsConfiguration"]) {
            Some(ForeignForm::CloudFormation)
        } else if self.names.iter().any(|name| name.ends_with("s3_cors")) {
            Some(ForeignForm::Ansible)
        } else {
            None
        }
    }

    /// Returns true for first words and calls that no HCL has.
    fn has_words_of_a_program(&self) -> bool {
        self.begins_a_line(&PROGRAM) || self.says(&["put_bucket_cors", "putBucketCors", "PutBucketCors"])
    }

    /// A program: by its first words and calls, where there are rules in it.
    fn of_program(&self) -> Option<ForeignForm> {
        let calls = [
            ".allowedOrigins(",
            ".allowed_origins(",
            "withAllowedOrigins(",
            "setAllowedOrigins(",
            "put_bucket_cors",
            "putBucketCors",
            "PutBucketCors",
            "CORSRule{",
            "CorsRule{",
            "Write-S3CORS",
            "@{",
        ];
        let has_rules = self.has_plain(&["allowedorigins", "alloworigins", "corsrules"])
            || self.text.contains("'AllowedOrigins' =>")
            || self.says(&calls[..4]);
        let is_assignment = || {
            self.text.lines().any(|line| {
                let name =
                    line.trim_end().strip_suffix(['{', '[', '(']).and_then(|line| line.trim_end().strip_suffix('='));
                name.is_some_and(|name| !name.trim_start().contains([':', '"', '\'']) && !name.trim().is_empty())
            })
        };
        let is_program = self.begins_a_line(&PROGRAM) || self.says(&calls) || is_assignment();
        (has_rules && is_program).then_some(ForeignForm::Program)
    }

    /// A text about CORS that has no rules of its own.
    fn without_rules(&self) -> Option<ForeignForm> {
        if self.says(&["mc cors set", "s3cmd setcors", "gsutil cors set", "--cors-file", "r2 bucket cors set"]) {
            return Some(ForeignForm::Command);
        }
        let settings = ["Access-Control-Allow-Origin", "access-control-allow-origin", "MINIO_API_CORS_ALLOW_ORIGIN"];
        self.says(&settings).then_some(ForeignForm::ProxyHeaders)
    }

    /// Gateways that are known by one name: headers of Traefik's middleware, in a file or in labels, and Istio's policy.
    fn of_gateway(&self) -> Option<ForeignForm> {
        let is_header = |name: &&str| {
            let name = name.rsplit('.').next().unwrap_or(name);
            name.get(..24).is_some_and(|start| start.eq_ignore_ascii_case("accessControlAllowOrigin"))
        };
        if self.names.iter().any(is_header) {
            return Some(ForeignForm::Traefik);
        }
        self.has(&["corsPolicy"]).then_some(ForeignForm::Istio)
    }

    /// By the names of rules, as in JSON.
    fn of_rule(&self, begins_like_json: bool) -> Option<ForeignForm> {
        let is_s3 = self.has(&["AllowedOrigins", "AllowedMethods", "AllowedOrigin", "AllowedMethod", "CORSRules"]);
        if self.has(&["MaxAgeInSeconds", "maxAgeInSeconds", "StorageServiceProperties"]) {
            Some(ForeignForm::Azure)
        } else if self.has(&["allowedOperations", "corsRuleName"]) {
            Some(ForeignForm::B2)
        } else if self.has(&["allowed"]) && self.has(&["origins", "methods"]) {
            Some(ForeignForm::R2)
        } else if self.has(&["origin"]) && self.has(&["method", "responseHeader"]) {
            Some(ForeignForm::Gcs)
        } else if is_s3 && begins_like_json {
            // S3's own, with a mistake in its JSON.
            None
        } else if is_s3 && self.has(&["MaxAge", "Id", "CorsRules"]) {
            Some(ForeignForm::CloudFormation)
        } else if is_s3 {
            Some(ForeignForm::Yaml)
        } else if self.has(&["allowOrigins"]) {
            Some(ForeignForm::GatewayApi)
        } else if self.has_plain(&["allowedorigins", "allowedorigin", "allowedmethods", "allowedmethod"]) {
            let is_cdk = self.has(&["cors"]) && self.has(&["exposedHeaders", "maxAge", "allowedMethods"]);
            Some(if is_cdk { ForeignForm::Cdk } else { ForeignForm::OtherCase })
        } else {
            None
        }
    }
}

/// Beginnings of lines in programs.
const PROGRAM: [&str; 16] = [
    "import ", "from ", "const ", "new ", "let ", "var ", "func ", "package ", "using ", "use ", "<?php", "require ",
    "public ", "fn ", "def ", "export ",
];

/// Beginnings of Terraform's blocks.
const HCL: [&str; 9] = [
    "resource \"",
    "module \"",
    "variable \"",
    "data \"",
    "locals {",
    "terraform {",
    "cors_rule {",
    "cors {",
    "dynamic \"cors_rule\"",
];

/// The kinds of manifests that can have CORS.
pub(super) fn of_kind(kind: &str) -> Option<ForeignForm> {
    match kind {
        "Ingress" => Some(ForeignForm::IngressNginx),
        "HTTPRoute" => Some(ForeignForm::GatewayApi),
        _ => None,
    }
}
