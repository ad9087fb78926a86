//! The AWS SDK for code that blocks: a reload has a thread of its own, and the SDK is asynchronous.

use crate::config::UpstreamUrl;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long one call may take, its retries included: a server that is away must not hold up a reload for long.
const LONGEST_CALL: Duration = Duration::from_secs(10);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(4);
const LONGEST_CONNECT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;

/// Whom to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint<'e> {
    /// The server; without one Amazon's own.
    pub(super) url: Option<&'e UpstreamUrl>,
    pub(super) region: &'e str,
    /// CA roots in PEM that were read before; the system's otherwise.
    pub(super) ca_file: Option<&'e Path>,
}

/// A client of an S3 server, with the runtime that it runs on.
pub(super) struct Client {
    s3: aws_sdk_s3::Client,
    /// `None` when it has ended.
    runtime: Option<Runtime>,
}

impl Client {
    /// A client with the credentials that the AWS tools would use: environment, profile, web identity, container, instance. They are
    /// looked for with the first call.
    pub(super) fn new(endpoint: Endpoint<'_>) -> Result<Self, String> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("s3").enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let http = http.tls_context(trusting(endpoint.ca_file)?).build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(LONGEST_CONNECT)
            .operation_attempt_timeout(LONGEST_ATTEMPT)
            .operation_timeout(LONGEST_CALL)
            .build();
        let shared = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(endpoint.region.to_owned()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        let load = || runtime.block_on(shared.load());
        let shared = std::thread::scope(|scope| scope.spawn(load).join());
        let shared = shared.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Checksums that the API does not ask for are sent in a trailer, which not every server reads.
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(url) = endpoint.url {
            config = config.endpoint_url(url.to_string()).force_path_style(true);
        }
        Ok(Self { s3: aws_sdk_s3::Client::from_conf(config.build()), runtime: Some(runtime) })
    }

    /// Waits for what `call` returns. Not for a thread that serves requests.
    #[expect(clippy::expect_used, reason = "it is taken when this is dropped")]
    pub(super) fn wait<F: Future>(&self, call: impl FnOnce(aws_sdk_s3::Client) -> F + Send) -> F::Output
    where
        F::Output: Send,
    {
        let runtime = self.runtime.as_ref().expect("until the drop");
        let run = || runtime.block_on(call(self.s3.clone()));
        // A thread of a runtime may not wait for another runtime, which would panic.
        if tokio::runtime::Handle::try_current().is_err() {
            return run();
        }
        std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Client {
    /// A runtime that is dropped waits for its threads, which panics on a thread of another runtime.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn trusting(ca_file: Option<&Path>) -> Result<TlsContext, String> {
    let store = match ca_file {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            TrustStore::empty().with_pem_certificate(pem)
        }
        None => TrustStore::default(),
    };
    TlsContext::builder().with_trust_store(store).build().map_err(|error| error.to_string())
}

/// What a call failed of: what the server says, or the causes on the way to it.
pub(super) fn reason<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> String {
    if let Some(code) = code(error) {
        let message = error.as_service_error().and_then(|error| error.meta().message()).unwrap_or_default();
        return if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") };
    }
    let mut causes = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    causes.dedup();
    causes.join(": ")
}

/// S3's code, where the server sent one.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(|error| error.meta().code())
}
