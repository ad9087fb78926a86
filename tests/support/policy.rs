//! Rules, and a policy that decides by them, without a proxy.

use super::rules::Rules;
use s3cors_proxy::config::{Config, ConfigFile, Flags};
use s3cors_proxy::exchange::{GrantKeys, Parts, Policy, SigningParts};
use s3cors_proxy::observe::Rejections;
use s3cors_proxy::rules::{Store, source_of};
use s3cors_proxy::s3::read_signer::{AccessKeys, LiveSigner, ReadSigner};
use s3cors_proxy::telemetry::Metrics;
use std::sync::Arc;

pub struct Scene {
    pub policy: Arc<Policy>,
    pub metrics: Arc<Metrics>,
    pub rejections: Arc<Rejections>,
    _rules: Rules,
}

impl Scene {
    pub fn new() -> Self {
        Self::with(Rules::usual())
    }

    pub fn with(rules: Rules) -> Self {
        Self::configured(rules, "")
    }

    /// With these sections of the file. What is signed here is signed with keys of no one.
    pub fn configured(rules: Rules, settings: &str) -> Self {
        let flags = Flags {
            upstream: vec!["http://127.0.0.1:9000".parse().unwrap()],
            rules: Some(rules.path().to_owned()),
            ..Flags::default()
        };
        let file = ConfigFile::parse(settings, "s3cors.yaml".as_ref()).unwrap();
        let (config, errors) = Config::merge(flags, file);
        assert!(errors.is_empty(), "{errors:?}");
        let store = Store::of(source_of(&config), config.cors.credentials.into()).unwrap();
        let (metrics, rejections) = (Arc::new(Metrics::new(10).unwrap()), Arc::new(Rejections::new(10)));
        metrics.buckets.prepare(store.live().all().map(|bucket| (&*bucket.label, bucket.rules.as_ref())));
        let parts = Parts {
            rules: Arc::new(store),
            metrics: Arc::clone(&metrics),
            rejections: Arc::clone(&rejections),
            recent_denials: None,
            access_log: None,
            shadow: None,
            why_not_ready: None,
            signing: Some(signing()),
        };
        Self { policy: Arc::new(Policy::new(&config, parts)), metrics, rejections, _rules: rules }
    }

    pub fn has_metric(&self, line: &str) -> bool {
        String::from_utf8(self.metrics.render().unwrap()).unwrap().lines().any(|each| each == line)
    }
}

fn signing() -> SigningParts {
    let keys = AccessKeys { id: "AKIDEXAMPLE", secret: "secret", session_token: None };
    let signer = LiveSigner::default();
    signer.set(Some(Arc::new(ReadSigner::new(keys, "us-east-1", None).unwrap())));
    SigningParts { signers: Arc::new(signer).into(), keys: GrantKeys::random().unwrap() }
}
