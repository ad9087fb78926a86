//! The arguments of `s3cors explain` about what the browser does.

use clap::Args;
use s3_cors::browser::{CredentialsMode, Mode, NoServerOrigin, ServerOrigin};
use s3cors_proxy::explain::{FetchSettings, HeaderLine, RedirectTo, redirect_status};

#[derive(Args)]
#[command(next_help_heading = "What the browser does")]
pub(super) struct BrowserArguments {
    /// A header that the page sends, with its value: it decides whether a preflight asks about it. Can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<HeaderLine>,
    /// The page's `credentials`: omit, same-origin or include
    #[arg(long, value_name = "MODE", default_value_t)]
    credentials: CredentialsMode,
    /// The page's `mode`: cors or no-cors
    #[arg(long, value_name = "MODE", default_value_t)]
    mode: Mode,
    /// The headers of the response that the page reads, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    read: Vec<String>,
    /// The origin of the bucket's URL [default: another one than the page's]
    #[arg(long, value_name = "ORIGIN", value_parser = target)]
    target: Option<ServerOrigin>,
    /// Where the response redirects to: an origin, and a bucket of these rules as the first part of the path. Can be repeated
    #[arg(long = "redirect", value_name = "URL")]
    redirects: Vec<RedirectTo>,
    /// The status of the redirects
    #[arg(long, value_name = "STATUS", default_value_t = FetchSettings::REDIRECT_STATUS, value_parser = redirect_status)]
    redirect_status: u16,
    /// The page listens to the progress of an upload (`xhr.upload`), which forces a preflight
    #[arg(long)]
    upload_listeners: bool,
    /// The body is a stream (`ReadableStream`), which forces a preflight
    #[arg(long)]
    stream_body: bool,
}

fn target(text: &str) -> Result<ServerOrigin, NoServerOrigin> {
    ServerOrigin::parse(text)
}

impl From<&BrowserArguments> for FetchSettings {
    fn from(given: &BrowserArguments) -> Self {
        Self {
            mode: given.mode,
            credentials: given.credentials,
            headers: given.headers.clone(),
            read: given.read.clone(),
            target: given.target.clone(),
            redirects: given.redirects.clone(),
            redirect_status: given.redirect_status,
            forces_preflight: given.upload_listeners || given.stream_body,
        }
    }
}
