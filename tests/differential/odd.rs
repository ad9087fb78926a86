//! Valid heads that few clients send: other ends of lines and forms of targets, fields about the client's connection, many lines.

use super::{Case, Intended, Twins};

/// Requests as most clients send them; the oddities are added to each. A coding comes last: Pingora takes it out and puts the last line
/// in its place.
const REQUESTS: [(&str, &str, &str); 5] = [
    ("GET", "Origin: https://app.example\r\n", ""),
    ("HEAD", "Origin: https://evil.example\r\n", ""),
    ("PUT", "Origin: https://app.example\r\nContent-Length: 3\r\n", "abc"),
    ("PUT", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    ("OPTIONS", "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n", ""),
];

const TARGETS: [&str; 7] =
    ["/bucket/key?a=b", "http://h/bucket/key", "HTTP://h?uploads", "http://h", "ftp://h/bucket/key", "*", "bucket/key"];

fn head(method: &str, target: &str, lines: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{lines}\r\n")
}

#[test]
fn fields_about_the_clients_connection() {
    let mut twins = Twins::new();
    for lines in [
        "TE: trailers, deflate\r\n",
        "Trailer: x-a\r\nKeep-Alive: timeout=5\r\n",
        "Proxy-Connection: close\r\nProxy-Authenticate: a\r\nProxy-Authorization: b\r\nProxy-Features: c\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: x\r\n",
        "Connection: TE, close\r\nTE: trailers\r\n",
        "X-A: 1\r\nConnection: x-a\r\nx-a: 2\r\nX-B: 3\r\n",
        "Connection: x-a\r\nConnection: ,\tX-B ,\r\nx-a: 1\r\nx-b: 2\r\n",
        "Connection: Transfer-Encoding\r\n",
        "Connection: accept, user-agent\r\nAccept: a\r\nUser-Agent: b\r\n",
        "Connection: \"x-a\"\r\n",
        "Connection: a, b, c, d, e, f, g, h, i\r\n",
        "Connection: a, b, c, d, e, f, g, h, i, j\r\n",
        "Expect: x\r\n",
        "Expect: 200-ok\r\nExpect: x\r\n",
    ] {
        for (method, own, body) in REQUESTS {
            twins.check(&Case::new(head(method, "/bucket/key", &format!("{own}{lines}")) + body));
        }
    }
    for lines in ["Connection: x-amz-date\r\nx-amz-date: 1\r\n", "Connection: origin\r\n"] {
        for (method, own, body) in REQUESTS {
            let case = Case::new(head(method, "/bucket/key", &format!("{own}{lines}")) + body);
            let differs = (body == "abc").then_some(Intended::SkippedBody);
            twins.check(&Case { differs, ..case });
        }
    }
    twins.finish(85, 50, 80);
}

#[test]
fn ends_of_lines_and_their_number() {
    let mut twins = Twins::new();
    for (method, own, body) in REQUESTS {
        let usual = head(method, "/bucket/key", &format!("A:\t 1 \r\nb:\r\nC: 2\r\n{own}"));
        let mixed = usual.replace("1 \r\n", "1 \n").replace("b:\r\n", "b:\n");
        let ending = usual.replace("\r\n\r\n", "\n\r\n");
        let starting = usual.replacen("\r\n", "\n", 1);
        for sent in [usual.replace("\r\n", "\n"), mixed, ending, starting] {
            twins.check(&Case::new(sent + body));
        }
        for empty in ["\r\n", "\n"] {
            let mut case = Case::new(usual.clone() + body);
            case.script.sends[0].splice(..0, empty.bytes());
            twins.check(&case);
        }
        for count in [100, 101, 128, 240, 300] {
            let lines: String = (0..count).map(|number| format!("a{number}: {number}\r\n")).collect();
            twins.check(&Case::new(head(method, "/bucket/key", &format!("{lines}{own}")) + body));
        }
        let long = format!("a: {}\r\n{}: b\r\n{own}", "v".repeat(30_000), "n".repeat(30_000));
        twins.check(&Case::new(head(method, "/bucket/key", &long) + body));
    }
    twins.finish(60, 35, 45);
}

#[test]
fn forms_of_targets() {
    let mut twins = Twins::new();
    for target in TARGETS {
        for (method, own, body) in REQUESTS {
            twins.check(&Case::new(head(method, target, own) + body));
        }
        for method in ["TRACE", "PRI", "connect", "head"] {
            twins.check(&Case::new(head(method, target, "")));
        }
        for host in ["Host: H\r\n", "Host: h:80\r\n", "Host:\r\n", "", "Host: h\r\nHost: h\r\n"] {
            twins.check(&Case::new(format!("GET {target} HTTP/1.1\r\n{host}\r\n")));
        }
        for lines in ["", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n"] {
            let case = Case::new(format!("GET {target} HTTP/1.0\r\n{lines}\r\n"));
            twins.check(&case.differing(Intended::HostOfUpstream));
            twins.check(&Case::new(format!("GET {target} HTTP/1.0\r\nHost: h\r\n{lines}\r\n")));
        }
    }
    for target in
        ["http:h/k", "http:/h/k", "http:///k", "http://u@h/", "http://h\\i/", "ht_tp://h/", "//h/k", "?a", "h:80"]
    {
        twins.check(&Case::new(head("GET", target, "")));
    }
    twins.finish(140, 80, 90);
}

#[test]
fn a_length_that_a_coding_overrides() {
    let mut twins = Twins::new();
    for lengths in ["Content-Length: 3\r\n", "Content-Length: 0\r\nContent-Length: 9\r\n", "content-length: x\r\n"] {
        for (method, own, body) in REQUESTS.iter().filter(|(_, own, _)| own.starts_with("Transfer")) {
            for lines in [format!("{lengths}{own}"), format!("{own}{lengths}"), format!("TE: x\r\n{lengths}{own}")] {
                twins.check(&Case::new(head(method, "/bucket/key", &lines) + body));
                twins.check(&Case::new((head(method, "/bucket/key", &lines) + body).replace("1.1", "1.0")));
            }
        }
    }
    twins.finish(18, 9, 18);
}
