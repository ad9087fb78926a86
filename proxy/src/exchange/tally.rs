//! The traffic of an exchange with its client.

/// The status of a request whose client had gone before there was one, as nginx has it.
pub const CLIENT_GONE: u16 = 499;

/// The traffic of an exchange with its client, as the driver counts it.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// The status that the client saw, or [`CLIENT_GONE`].
    pub status: u16,
    /// Body bytes from the client.
    pub request_bytes: u64,
    /// Body bytes to the client.
    pub response_bytes: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { status: CLIENT_GONE, request_bytes: 0, response_bytes: 0 }
    }
}
