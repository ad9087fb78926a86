//! Random changes of heads, beside httparse: the grammar accepts nothing that httparse does not, and finds the same parts.

use super::*;
use fastrand::Rng;

const HEAD: &str = "PUT /b/k?partNumber=1 HTTP/1.1\r\nHost: h:9000\r\nx-amz-meta-a:\t1 \r\nContent-Length: 5\r\n\
                    Accept: */*\nConnection: close\r\n\r\nhello";
/// Bytes that decide something, and a few that do not.
const BYTES: &[u8] = b"\r\n\r\n :\t\0\x7f\x80a/?#HTTP/1.1";

fn changed(random: &mut Rng) -> Vec<u8> {
    let mut head = HEAD.as_bytes().to_vec();
    for _ in 0..random.usize(0..4) {
        let at = random.usize(..head.len());
        let byte = BYTES[random.usize(..BYTES.len())];
        match random.u8(0..3) {
            0 => head[at] = byte,
            1 => head.insert(at, byte),
            _ => drop(head.remove(at)),
        }
    }
    head
}

#[test]
fn an_accepted_head_is_the_one_that_httparse_reads() {
    let mut random = Rng::with_seed(9112);
    let mut accepted = 0;
    for _ in 0..40_000 {
        let bytes = changed(&mut random);
        let Classified::Head(head) = classify(&bytes) else { continue };
        accepted += 1;
        let mut headers = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut request = httparse::Request::new(&mut headers);
        let size = request.parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", bytes.escape_ascii()));
        assert_eq!(size, httparse::Status::Complete(head.bytes().len()), "{}", bytes.escape_ascii());
        assert_eq!((request.method, request.path), (Some(head.method()), Some(head.target())));
        let others: Vec<_> = request.headers.iter().map(|line| (line.name.as_bytes(), line.value)).collect();
        let ours: Vec<_> = head.lines().map(|line| (line.name, line.value)).collect();
        assert_eq!(ours, others, "{}", bytes.escape_ascii());
    }
    assert!(accepted > 10_000, "{accepted}");
}
