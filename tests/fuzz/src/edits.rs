//! Messages close to valid ones: a valid message and a few edits, each of which puts a meaningful fragment somewhere.
//!
//! Random bytes are never HTTP. These are, or nearly, which is where two parsers may disagree.

/// Valid request heads.
pub const REQUESTS: &[&str] = &[
    "GET /bucket/key HTTP/1.1\r\nHost: h\r\n\r\n",
    "PUT /b/k?partNumber=1&uploadId=x HTTP/1.1\r\nHost: h:9000\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    "POST /b?delete HTTP/1.1\r\nhost:h\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "OPTIONS /b/k HTTP/1.1\r\nHost: b.h\r\nOrigin: https://a\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n",
    "PUT /b/k HTTP/1.1\nHost: h\r\nTransfer-Encoding: chunked\nA: b\n\n0\r\n\r\n",
    "GET http://h:80/b/k?a HTTP/1.1\r\nHost: h:80\r\nTE: trailers\r\nConnection: TE, x-a\r\nx-a: b\r\n\r\n",
    "POST * HTTP/1.1\r\nHost:\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n\r\n0\r\n\r\n",
];

/// Valid response heads.
pub const RESPONSES: &[&str] = &[
    "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 204\r\nETag: \"x\"\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nDate:\r\n\r\n",
];

/// Valid chunked bodies.
pub const BODIES: &[&str] = &[
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "a;x=\"y\"\r\n0123456789\r\n00\r\nx-trailer: v\r\nb:\r\n\r\n",
    "4\r\n\r\n\r\n\r\n1;\r\nx\r\n0000000000000000;e\r\n\r\nGET / HTTP/1.1\r\n",
];

/// What edits put into messages.
pub const FRAGMENTS: &[&[u8]] = &[
    b"",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b":",
    b": ",
    b" :",
    b",",
    b";",
    b"/",
    b"?",
    b"#",
    b"*",
    b"%",
    b"@",
    b"\"",
    b"+",
    b"-",
    b"_",
    b"0",
    b"1",
    b"3",
    b"9",
    b"a",
    b"F",
    b"x",
    b"0x",
    b"GET",
    b"CONNECT",
    b"PRI",
    b"http://",
    b"http://h",
    b"://",
    b"[",
    b"]",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"100",
    b"101",
    b"204",
    b"304",
    b"600",
    b"Host: h\r\n",
    b"Host:",
    b"host: i\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length:",
    b"content-length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding:",
    b"chunked",
    b"identity",
    b"gzip, ",
    b"Connection: close\r\n",
    b"Connection: te\r\n",
    b"Connection: a\n",
    b"A: b\n",
    b"connection: Keep-Alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"TE: trailers\r\n",
    b"Proxy-Connection: x\r\n",
    b"Keep-Alive: 5\r\n",
    b"X: \r\n y\r\n",
    b"A: b\r\n",
    b"ffffffffffffffff",
    b"7fffffffffffffff",
    b"8000000000000000",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551616",
];

/// At a place (of 65,536 along the message), removes some bytes and puts a fragment in.
pub type Edit = (u16, u8, u8);

/// The message of this number with these edits.
pub fn edited(messages: &[&str], number: u8, edits: &[Edit]) -> Vec<u8> {
    edited_with(FRAGMENTS, messages, number, edits)
}

/// The same with other fragments.
pub fn edited_with(fragments: &[&[u8]], messages: &[&str], number: u8, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = messages[usize::from(number) % messages.len()].as_bytes().to_vec();
    for (place, removed, fragment) in edits {
        let start = usize::from(*place) * (bytes.len() + 1) / (usize::from(u16::MAX) + 1);
        let fragment = fragments[usize::from(*fragment) % fragments.len()];
        edit(&mut bytes, start, usize::from(removed % 4), fragment);
    }
    bytes
}

/// Every message that a single edit makes of these.
pub fn edited_once(messages: &[&'static str]) -> impl Iterator<Item = Vec<u8>> {
    let places = messages.iter().flat_map(|message| (0..=message.len()).map(move |start| (*message, start)));
    let edits = (0..4).flat_map(|removed| FRAGMENTS.iter().map(move |fragment| (removed, *fragment)));
    places.flat_map(move |(message, start)| {
        edits.clone().map(move |(removed, fragment)| {
            let mut bytes = message.as_bytes().to_vec();
            edit(&mut bytes, start, removed, fragment);
            bytes
        })
    })
}

fn edit(bytes: &mut Vec<u8>, start: usize, removed: usize, fragment: &[u8]) {
    let end = bytes.len().min(start + removed);
    bytes.splice(start..end, fragment.iter().copied());
}
