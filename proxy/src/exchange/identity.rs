//! The names of the server and of the request that every reply of the proxy has, as headers and as lines.

use crate::s3::identity::{HostId, RequestId};
use http::header::SERVER;
use http::{HeaderName, HeaderValue};

static SERVER_NAME: HeaderValue = HeaderValue::from_static("s3cors");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// The server's names. One for the process.
pub(super) struct Host {
    id: HostId,
    /// Lines of HTTP/1.1 (RFC 9112 §5), up to the value of the last one, which is the request's.
    lines: Box<[u8]>,
}

impl Host {
    pub(super) fn random() -> Self {
        let id = HostId::random();
        let (server, host) = (SERVER_NAME.as_bytes(), id.as_str().as_bytes());
        let lines = [b"server: ", server, b"\r\nx-amz-id-2: ", host, b"\r\nx-amz-request-id: "].concat();
        Self { id, lines: lines.into() }
    }

    pub(super) fn id(&self) -> &str {
        self.id.as_str()
    }

    pub(super) const fn identity<'i>(&'i self, request: &'i RequestId) -> Identity<'i> {
        Identity { host: self, request }
    }
}

/// The names in one reply.
pub struct Identity<'i> {
    host: &'i Host,
    request: &'i RequestId,
}

impl Identity<'_> {
    /// Hands over each header, in the order of the lines.
    pub(super) fn for_each_header(&self, mut to: impl FnMut(&HeaderName, &HeaderValue)) {
        to(&SERVER, &SERVER_NAME);
        to(&HOST_ID, self.host.id.value());
        to(&REQUEST_ID, &self.request.value());
    }

    /// Writes the same headers as lines of HTTP/1.1.
    pub fn write_lines(&self, mut write: impl FnMut(&[u8])) {
        write(&self.host.lines);
        write(self.request.as_bytes());
        write(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_the_headers_say() {
        let (host, request) = (Host::random(), RequestId::random());
        let identity = host.identity(&request);
        let (mut lines, mut headers) = (Vec::new(), Vec::new());
        identity.write_lines(|bytes| lines.extend_from_slice(bytes));
        identity.for_each_header(|name, value| {
            headers.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        });
        assert_eq!(lines.escape_ascii().to_string(), headers.escape_ascii().to_string());
    }
}
