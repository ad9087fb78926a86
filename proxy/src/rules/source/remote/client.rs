//! A client of S3 for code that blocks: a reload has a thread of its own.

use super::call::{Base, Endpoint, S3};
use crate::config::UpstreamTls;
use crate::credentials::{CredentialSources, Https, context};
use crate::tls::client::trusting_system;
use crate::tls::trusting_as_configured;
use reqsign_aws_v4::RequestSigner;
use reqsign_core::{OsEnv, Signer};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A client of an S3 server, with the runtime that it runs on.
pub(super) struct Client {
    s3: Arc<S3>,
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
        let system = trusting_system().map_err(|error| error.to_string())?;
        let tls = match endpoint.ca_file {
            Some(path) => {
                trusting_as_configured(&UpstreamTls { ca_file: Some(path.to_owned()), ..UpstreamTls::default() })
                    .map_err(|error| error.to_string())?
            }
            None => system.clone(),
        };
        let signer = Signer::new(
            context(OsEnv, system),
            CredentialSources::new(None),
            RequestSigner::new("s3", endpoint.region),
        );
        let s3 = S3 { base: Base::of(endpoint), https: Https::new(tls), signer };
        Ok(Self { s3: Arc::new(s3), runtime: Some(runtime) })
    }

    /// Waits for what `call` returns. Not for a thread that serves requests.
    #[expect(clippy::expect_used, reason = "it is taken when this is dropped")]
    pub(super) fn wait<F: Future>(&self, call: impl FnOnce(Arc<S3>) -> F + Send) -> F::Output
    where
        F::Output: Send,
    {
        let runtime = self.runtime.as_ref().expect("until the drop");
        let run = || runtime.block_on(call(Arc::clone(&self.s3)));
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
