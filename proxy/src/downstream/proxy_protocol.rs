//! The PROXY protocol: a load balancer's word for who the client is, before anything else on a connection.
//!
//! Decides: where such a header ends, and that a connection without one is closed. <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use crate::drivers::peer::name_client;
use pingora::protocols::l4::stream::Stream;
use ppp::{v1, v2};
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncReadExt;

/// The longest header of version 1, with its end (§2.1).
const MAX_TEXT: usize = 107;
/// How version 1 begins.
const TEXT: &[u8] = b"PROXY ";
/// How version 2 begins (§2.2).
const BINARY: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// What every header of version 2 has: its beginning, command, family and length.
const BINARY_START: usize = 16;
/// The longest header of version 2 that is read. The addresses take at most 216 bytes, what follows is about TLS.
const MAX_BINARY: usize = 4096;
/// The bit of a TLS extension that says that the client spoke TLS (§2.2.5).
const CLIENT_SPOKE_TLS: u8 = 0x01;

/// Why a connection cannot be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoHeader {
    /// It does not begin with a header.
    #[error("the connection does not begin with a header of the PROXY protocol")]
    Missing,
    /// It broke off.
    #[error(transparent)]
    Broken(#[from] io::Error),
}

/// Who the client is; `None`: the balancer itself, which looks whether the listener lives.
type Client = Option<(SocketAddr, bool)>;

/// Reads the header of a connection. What came after it is read again.
pub(super) async fn read(stream: &mut Stream) -> Result<(), NoHeader> {
    let mut bytes = Vec::with_capacity(MAX_TEXT);
    let length = loop {
        if let Some(length) = length(&bytes)? {
            break length;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(NoHeader::Missing);
        }
    };
    let (header, rest) = bytes.split_at_checked(length).ok_or(NoHeader::Missing)?;
    if let Some((client, is_tls)) = client(header)? {
        name_client(stream, client, is_tls);
    }
    stream.rewind(rest);
    Ok(())
}

/// How long the header is; `None`: more has to come.
fn length(bytes: &[u8]) -> Result<Option<usize>, NoHeader> {
    let begins = |with: &[u8]| bytes.iter().zip(with).all(|(byte, wanted)| byte == wanted);
    if begins(TEXT) {
        return match memchr::memchr(b'\n', bytes.get(..MAX_TEXT).unwrap_or(bytes)) {
            Some(end) => Ok(Some(end + 1)),
            None if bytes.len() < MAX_TEXT => Ok(None),
            None => Err(NoHeader::Missing),
        };
    }
    if !begins(BINARY) {
        return Err(NoHeader::Missing);
    }
    let Some([high, low]) = bytes.get(BINARY_START - 2..BINARY_START) else { return Ok(None) };
    match BINARY_START + usize::from(u16::from_be_bytes([*high, *low])) {
        length if length > MAX_BINARY => Err(NoHeader::Missing),
        length if length > bytes.len() => Ok(None),
        length => Ok(Some(length)),
    }
}

/// What a whole header says.
fn client(header: &[u8]) -> Result<Client, NoHeader> {
    if header.starts_with(TEXT) {
        let header = v1::Header::try_from(header).map_err(|_| NoHeader::Missing)?;
        return Ok(match header.addresses {
            v1::Addresses::Tcp4(ip) => Some(((ip.source_address, ip.source_port).into(), false)),
            v1::Addresses::Tcp6(ip) => Some(((ip.source_address, ip.source_port).into(), false)),
            v1::Addresses::Unknown => None,
        });
    }
    let header = v2::Header::try_from(header).map_err(|_| NoHeader::Missing)?;
    if header.command == v2::Command::Local {
        return Ok(None);
    }
    let address: SocketAddr = match header.addresses {
        v2::Addresses::IPv4(ip) => (ip.source_address, ip.source_port).into(),
        v2::Addresses::IPv6(ip) => (ip.source_address, ip.source_port).into(),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => return Ok(None),
    };
    let mut extensions = header.tlvs().filter_map(Result::ok).filter(|each| each.kind == v2::Type::SSL as u8);
    let is_tls = extensions.any(|tls| tls.value.first().is_some_and(|bits| bits & CLIENT_SPOKE_TLS != 0));
    Ok(Some((address, is_tls)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&BINARY[..], &[0x20 | command, family], &length, payload].concat()
    }

    const IPV4: [u8; 12] = [192, 0, 2, 1, 127, 0, 0, 1, 0x12, 0x34, 0, 80];

    #[test]
    fn a_header_says_who_the_client_is() {
        let ipv6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 28], &[0x12, 0x34, 0, 80]].concat();
        let tls = |bits: u8| [&IPV4[..], &[0x20, 0, 5, bits, 0, 0, 0, 0]].concat();
        for (header, expected) in [
            (b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n".to_vec(), Some(("192.0.2.1:4660", false))),
            (b"PROXY TCP6 2001:db8:: ::1 4660 80\r\n".to_vec(), Some(("[2001:db8::]:4660", false))),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (binary(1, 0x11, &IPV4), Some(("192.0.2.1:4660", false))),
            (binary(1, 0x21, &ipv6), Some(("[2001:db8::]:4660", false))),
            (binary(1, 0x11, &tls(1)), Some(("192.0.2.1:4660", true))),
            (binary(1, 0x11, &tls(0)), Some(("192.0.2.1:4660", false))),
            (binary(0, 0x11, &IPV4), None),
            (binary(0, 0, &[]), None),
            (binary(1, 0, &[]), None),
        ] {
            let shown = header.escape_ascii().to_string();
            for end in 0..header.len() {
                assert_eq!(length(&header[..end]).unwrap(), None, "{shown} {end}");
            }
            let with_more = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(length(&with_more).unwrap(), Some(header.len()), "{shown}");
            let said = client(&header).unwrap().map(|(address, is_tls)| (address.to_string(), is_tls));
            assert_eq!(said, expected.map(|(address, is_tls)| (address.to_owned(), is_tls)), "{shown}");
        }
    }

    #[test]
    fn what_is_no_header_is_refused_at_the_first_byte_that_shows_it() {
        let long = [b"PROXY TCP6 ".as_slice(), &[b'1'; 200]].concat();
        for (bytes, shown_at) in [
            (b"GET / HTTP/1.1\r\n".as_slice(), 1),
            (b"\x16\x03\x01", 1),
            (b"PROXIED", 5),
            (b"\r\n\r\n\r\n", 5),
            (&long, MAX_TEXT),
            (&binary(1, 0x11, &[0; 5000]), BINARY_START),
        ] {
            let first = (1..=bytes.len()).find(|end| length(&bytes[..*end]).is_err());
            assert_eq!(first, Some(shown_at), "{}", bytes.escape_ascii());
        }
        for header in [
            b"PROXY TCP4 192.0.2.1 127.0.0.1 4660\r\n".to_vec(),
            b"PROXY TCP4 192.0.2 127.0.0.1 4660 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 127.0.0.1 99999 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\n".to_vec(),
            b"PROXY UDP4 192.0.2.1 127.0.0.1 4660 80\r\n".to_vec(),
            binary(1, 0x11, &IPV4[..8]),
            binary(7, 0x11, &IPV4),
            binary(1, 0x71, &IPV4),
        ] {
            assert!(client(&header).is_err(), "{}", header.escape_ascii());
        }
    }
}
