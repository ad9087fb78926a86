//! The peer of a client's connection: as the socket says, or the PROXY protocol instead.

use crate::exchange::{ClientPeer, Policy};
use pingora::http::ResponseHeader;
use pingora::protocols::l4::{self, socket::SocketAddr as AnyAddress};
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::SslDigest;
use pingora::protocols::{Digest, GetProxyDigest, GetSocketDigest, SocketDigest, Stream};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

/// That the client spoke TLS with the proxy before this one.
struct SpokeTls;

/// Makes a client known whom the PROXY protocol named, for what is on top of the connection, too.
pub(crate) fn name_client(stream: &mut l4::stream::Stream, address: SocketAddr, is_tls: bool) {
    let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
    // It is empty: nothing has asked for the address yet.
    let _ = digest.peer_addr.set(Some(AnyAddress::Inet(address)));
    stream.set_socket_digest(digest);
    // Pingora's place for what is known of a proxy on the way. It wants the response to CONNECT; there was no CONNECT here.
    if is_tls && let Ok(response) = ResponseHeader::build(200, Some(0)) {
        stream.set_proxy_digest(ProxyDigest::new(Box::new(response), Some(Box::new(SpokeTls))));
    }
}

/// The peer of a connection.
pub(crate) fn of_stream(stream: &Stream, policy: &Policy) -> ClientPeer {
    let tls = stream.get_ssl_digest();
    peer(policy, stream.get_socket_digest().as_deref(), stream.get_proxy_digest().as_deref(), tls.as_deref())
}

/// The peer of a session of Pingora's.
pub(super) fn of_session(digest: Option<&Digest>, policy: &Policy) -> ClientPeer {
    let Some(digest) = digest else { return policy.peer(None, false, || None) };
    let tls = digest.ssl_digest.as_deref();
    peer(policy, digest.socket_digest.as_deref(), digest.proxy_digest.as_deref(), tls)
}

fn peer(
    policy: &Policy,
    socket: Option<&SocketDigest>,
    proxy: Option<&ProxyDigest>,
    tls: Option<&SslDigest>,
) -> ClientPeer {
    let address = socket.and_then(|socket| socket.peer_addr()?.as_inet()).copied();
    let spoke_tls = || proxy.and_then(|proxy| proxy.user_data.as_ref()).is_some_and(|data| data.is::<SpokeTls>());
    let local = || socket.and_then(|socket| socket.local_addr()?.as_inet()).copied();
    policy.peer(address, tls.is_some() || spoke_tls(), local).over(tls.and_then(version))
}

/// The version of TLS as nginx and Apache write it. There are no others here.
fn version(tls: &SslDigest) -> Option<&'static str> {
    match &*tls.version {
        "TLSv1_2" => Some("TLSv1.2"),
        "TLSv1_3" => Some("TLSv1.3"),
        _ => None,
    }
}
