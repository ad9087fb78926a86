//! The hand-over of a response's headers, so that each protocol writes them in its own way.

use super::identity::Identity;
use http::{HeaderName, HeaderValue, header};
use s3_cors::Grant;

/// Takes the headers of a response, in their order.
pub trait TakeHeaders {
    /// Takes a header.
    fn header(&mut self, name: &HeaderName, value: &HeaderValue);

    /// Takes the length of a body, in bytes.
    fn length(&mut self, length: usize) {
        self.header(&header::CONTENT_LENGTH, &HeaderValue::from(length));
    }

    /// Takes the names of the server and of the request, most of which are ready as lines of HTTP/1.1.
    fn identity(&mut self, of: &Identity<'_>) {
        of.for_each_header(|name, value| self.header(name, value));
    }

    /// Takes those of a grant, most of which are ready as lines of HTTP/1.1.
    fn grant(&mut self, grant: &Grant) {
        grant.for_each_header(|name, value| self.header(name, value));
    }
}

impl<F: FnMut(&HeaderName, &HeaderValue)> TakeHeaders for F {
    fn header(&mut self, name: &HeaderName, value: &HeaderValue) {
        self(name, value);
    }
}
