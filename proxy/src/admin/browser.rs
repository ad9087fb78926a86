//! The parameters of `/api/explain` about what the browser does.
//!
//! | parameter | value |
//! |---|---|
//! | `mode`, `credentials` | as `fetch()` has them |
//! | `header` | `Name: value`; can be repeated |
//! | `read` | the headers of the response that the page reads, separated by commas |
//! | `target` | the origin of the bucket's URL |
//! | `redirect` | an origin, and a bucket as the first part of the path; can be repeated |
//! | `redirect_status` | the status of the redirects |
//! | `upload_listeners`, `stream_body` | `true` where the page listens to the progress of an upload, or sends a stream |

use crate::explain::{FetchSettings, redirect_status};
use s3_cors::browser::ServerOrigin;
use std::error::Error;

/// Reads them out of a query. The error says which parameter is wrong and why.
pub(super) fn settings(query: &str) -> Result<FetchSettings, String> {
    let mut settings = FetchSettings::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        set(&mut settings, &name, &value).map_err(|why| format!("{name}= is wrong: {why}"))?;
    }
    Ok(settings)
}

fn set(settings: &mut FetchSettings, name: &str, value: &str) -> Result<(), Box<dyn Error>> {
    match name {
        "mode" => settings.mode = value.parse()?,
        "credentials" => settings.credentials = value.parse()?,
        "header" => settings.headers.push(value.parse()?),
        "target" => settings.target = Some(ServerOrigin::parse(value)?),
        "redirect" => settings.redirects.push(value.parse()?),
        "redirect_status" => settings.redirect_status = redirect_status(value)?,
        "upload_listeners" | "stream_body" => settings.forces_preflight |= value.parse::<bool>()?,
        "read" => {
            let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
            settings.read.extend(names.map(str::to_owned));
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_parameter_is_named() {
        for (query, expected) in [
            ("mode=cors&credentials=include&read=a,b&header=A:%201&redirect=https://b/c&redirect_status=302", None),
            ("origin=x&unknown=y", None),
            ("upload_listeners=true&stream_body=false", None),
            ("stream_body=yes", Some("stream_body= is wrong: provided string was not `true` or `false`")),
            ("mode=same-origin", Some("mode= is wrong: \"same-origin\" is not one of cors, no-cors")),
            ("credentials=all", Some("credentials= is wrong: \"all\" is not one of omit, same-origin, include")),
            ("redirect_status=200", Some("redirect_status= is wrong: \"200\" is not one of 301, 302, 303, 307, 308")),
            ("target=s3", Some("target= is wrong: it has no scheme")),
        ] {
            assert_eq!(settings(query).err().as_deref(), expected, "{query}");
        }
    }
}
