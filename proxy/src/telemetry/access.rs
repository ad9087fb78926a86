//! The access line: one for each request, with the fields that the documentation promises.

/// One request, as the access line shows it. It has no place for a query or for a header other than Origin.
#[derive(Debug)]
pub struct Access<'a> {
    /// Names the request in answers and logs.
    pub request_id: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// The method.
    pub method: &'a str,
    /// The bucket's label.
    pub bucket: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// The status that the client saw.
    pub status: u16,
    /// Body bytes to the client.
    pub bytes: usize,
    /// Seconds from the request's head to the end of the response.
    pub duration: f64,
    /// Seconds to the head of the upstream's response.
    pub upstream_time: Option<f64>,
    /// The Origin, fit for a log.
    pub origin: Option<&'a str>,
    /// What CORS decided.
    pub cors: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// The rule that granted.
    pub rule: Option<&'a str>,
}

impl Access<'_> {
    /// Whether the line would be written: asked before it is made.
    #[must_use]
    pub fn is_wanted() -> bool {
        tracing::enabled!(target: "access", tracing::Level::INFO)
    }

    /// Writes the line.
    pub fn write(&self) {
        tracing::info!(
            target: "access",
            request_id = self.request_id,
            client = self.client,
            method = self.method,
            bucket = self.bucket,
            path = self.path,
            status = self.status,
            bytes = self.bytes,
            duration = self.duration,
            upstream_time = self.upstream_time,
            origin = self.origin,
            cors = self.cors,
            reason = self.reason,
            rule = self.rule,
            "request"
        );
    }
}
