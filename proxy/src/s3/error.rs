//! S3's `<Error>` documents, for what the proxy answers itself.

use quick_xml::escape::partial_escape;
use std::fmt::Write;

/// An error as S3 clients know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDocument<'a> {
    /// The code that SDKs switch on.
    pub code: &'a str,
    /// The text for people.
    pub message: &'a str,
    /// For a refused preflight: the method asked for and the kind of resource (`BUCKET`, `OBJECT`).
    pub refused: Option<(&'a str, &'a str)>,
    /// The same as in `x-amz-request-id`.
    pub request_id: &'a str,
    /// The same as in `x-amz-id-2`.
    pub host_id: &'a str,
}

impl ErrorDocument<'_> {
    /// The content type of every error document (recorded).
    pub const CONTENT_TYPE: &'static str = "application/xml";

    /// The document, its elements in S3's order (recorded): Code, Message, Method, ResourceType, RequestId, HostId.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(512);
        xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        element(&mut xml, "Code", self.code);
        element(&mut xml, "Message", self.message);
        if let Some((method, resource)) = self.refused {
            element(&mut xml, "Method", method);
            element(&mut xml, "ResourceType", resource);
        }
        element(&mut xml, "RequestId", self.request_id);
        element(&mut xml, "HostId", self.host_id);
        xml.push_str("</Error>");
        xml
    }
}

fn element(xml: &mut String, name: &str, text: &str) {
    // Writing to a String does not fail.
    let _ = write!(xml, "<{name}>{}</{name}>", partial_escape(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_elements_keep_s3s_order() {
        let error = ErrorDocument {
            code: "AccessForbidden",
            message: "a <b> & \"c\"",
            refused: Some(("PUT", "OBJECT")),
            request_id: "R",
            host_id: "H",
        };
        assert_eq!(
            error.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessForbidden</Code>\
             <Message>a &lt;b&gt; &amp; \"c\"</Message><Method>PUT</Method><ResourceType>OBJECT</ResourceType>\
             <RequestId>R</RequestId><HostId>H</HostId></Error>"
        );
    }
}
