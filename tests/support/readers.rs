//! Readers of the bucket in a path, as servers and the proxies before them are: each written for itself, after the one that it is named
//! for. None shares code with the proxy or with another one.

use std::path::{Component, Path};

/// The object that a reader looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// It refuses such a path.
    Refused,
    Service,
    Bucket(Vec<u8>),
}

pub type Reader = fn(&str) -> Read;

pub const READERS: [(&str, Reader); 18] = [
    ("split, then decode", split_first),
    ("RGW: decode, then split", decode_first),
    ("s3s: decode as text, then split", s3s),
    ("nginx: decode, merge slashes, remove dots", nginx),
    ("nginx with $uri: the decoded path once more", nginx_uri),
    ("Go: path.Clean of the decoded path", go_clean),
    ("Go: path.Clean of the raw path", go_clean_raw),
    ("WHATWG URL, then split", whatwg),
    ("WHATWG URL, then RGW", whatwg_decode_first),
    ("RFC 3986 of the raw path", rfc3986),
    ("RFC 3986 of the decoded path", rfc3986_decoded),
    ("Envoy (dots, slashes), then RGW", envoy),
    ("C: the decoded path to its NUL", c_path),
    ("C: the decoded bucket to its NUL", c_bucket),
    ("Windows: either slash, merged, dots, to the NUL", windows),
    ("a raw backslash is a slash", backslash),
    ("a store of files below a root", files),
    ("JAX-RS: without path parameters", jax_rs),
];

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn decode(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let high = bytes.get(at + 1).copied().and_then(hex);
        let low = bytes.get(at + 2).copied().and_then(hex);
        match (bytes[at], high, low) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn first_segment(path: &[u8]) -> Vec<u8> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.iter().copied().take_while(|byte| *byte != b'/').collect()
}

fn bucket(name: Vec<u8>) -> Read {
    if name.is_empty() { Read::Service } else { Read::Bucket(name) }
}

fn replaced(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

fn merged(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for byte in path {
        if !(*byte == b'/' && out.last() == Some(&b'/')) {
            out.push(*byte);
        }
    }
    out
}

fn to_nul(path: &[u8]) -> Vec<u8> {
    path.split(|byte| *byte == 0).next().unwrap().to_vec()
}

/// RFC 3986 §5.2.4, step by step.
fn remove_dot_segments(path: &[u8]) -> Vec<u8> {
    let (mut input, mut output) = (path.to_vec(), Vec::new());
    while !input.is_empty() {
        if input.starts_with(b"../") {
            input.drain(..3);
        } else if input.starts_with(b"./") || input.starts_with(b"/./") {
            input.drain(..2);
        } else if input == b"/." {
            input = b"/".to_vec();
        } else if input.starts_with(b"/../") || input == b"/.." {
            input = if input == b"/.." { b"/".to_vec() } else { input[3..].to_vec() };
            let cut = output.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            output.truncate(cut);
        } else if input == b"." || input == b".." {
            input.clear();
        } else {
            let end = input[1..].iter().position(|byte| *byte == b'/').map_or(input.len(), |at| at + 1);
            output.extend(input.drain(..end));
        }
    }
    output
}

fn split_first(path: &str) -> Read {
    bucket(decode(&first_segment(path.as_bytes())))
}

fn decode_first(path: &str) -> Read {
    bucket(first_segment(&decode(path.as_bytes())))
}

fn s3s(path: &str) -> Read {
    let Ok(path) = String::from_utf8(decode(path.as_bytes())) else { return Read::Refused };
    let Some(path) = path.strip_prefix('/') else { return Read::Refused };
    match path.split_once('/') {
        _ if path.is_empty() => Read::Service,
        None => Read::Bucket(path.into()),
        Some((name, _)) => bucket(name.into()),
    }
}

/// `ngx_http_parse_complex_uri`, which refuses NUL and a path that climbs above its root.
fn nginx_normalised(path: &str) -> Option<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = Vec::new();
    let decoded = decode(path.as_bytes());
    if decoded.contains(&0) {
        return None;
    }
    let mut ends_in_slash = true;
    for segment in decoded.split(|byte| *byte == b'/') {
        ends_in_slash = false;
        match segment {
            b"" | b"." => ends_in_slash = true,
            b".." => {
                segments.pop()?;
                ends_in_slash = true;
            }
            name => segments.push(name.to_vec()),
        }
    }
    let mut out = b"/".to_vec();
    out.extend(segments.join(&b'/'));
    if ends_in_slash && !segments.is_empty() {
        out.push(b'/');
    }
    Some(out)
}

fn nginx(path: &str) -> Read {
    nginx_normalised(path).map_or(Read::Refused, |path| bucket(first_segment(&path)))
}

/// `proxy_pass http://store$uri`: what was decoded is a target again, up to what ends one.
fn nginx_uri(path: &str) -> Read {
    let Some(path) = nginx_normalised(path) else { return Read::Refused };
    let target = path.split(|byte| matches!(byte, b'?' | b'#' | b' ' | b'\r' | b'\n')).next().unwrap();
    bucket(decode(&first_segment(target)))
}

/// Go's `path.Clean` of a rooted path.
fn clean(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        if element == b".." {
            kept.pop();
        } else if !element.is_empty() && element != b"." {
            kept.push(element);
        }
    }
    [b"/".to_vec(), kept.join(&b'/')].concat()
}

fn go_clean(path: &str) -> Read {
    bucket(first_segment(&clean(&decode(path.as_bytes()))))
}

fn go_clean_raw(path: &str) -> Read {
    bucket(decode(&first_segment(&clean(path.as_bytes()))))
}

fn parsed(path: &str) -> String {
    url::Url::parse("http://h/").unwrap().join(&format!("http://h{path}")).unwrap().path().to_owned()
}

fn whatwg(path: &str) -> Read {
    split_first(&parsed(path))
}

fn whatwg_decode_first(path: &str) -> Read {
    decode_first(&parsed(path))
}

fn rfc3986(path: &str) -> Read {
    bucket(decode(&first_segment(&remove_dot_segments(path.as_bytes()))))
}

fn rfc3986_decoded(path: &str) -> Read {
    bucket(first_segment(&remove_dot_segments(&decode(path.as_bytes()))))
}

fn envoy(path: &str) -> Read {
    bucket(first_segment(&decode(&merged(&remove_dot_segments(path.as_bytes())))))
}

fn c_path(path: &str) -> Read {
    bucket(first_segment(&to_nul(&decode(path.as_bytes()))))
}

fn c_bucket(path: &str) -> Read {
    bucket(to_nul(&decode(&first_segment(path.as_bytes()))))
}

fn windows(path: &str) -> Read {
    bucket(first_segment(&remove_dot_segments(&merged(&replaced(&to_nul(&decode(path.as_bytes())))))))
}

fn backslash(path: &str) -> Read {
    bucket(decode(&first_segment(&replaced(path.as_bytes()))))
}

fn files(path: &str) -> Read {
    let decoded = decode(path.as_bytes());
    let Ok(text) = str::from_utf8(&decoded) else { return Read::Refused };
    let mut below: Vec<&str> = Vec::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => below.push(name.to_str().unwrap()),
            Component::ParentDir => {
                below.pop();
            }
            _ => {}
        }
    }
    below.first().map_or(Read::Service, |name| Read::Bucket(name.as_bytes().to_vec()))
}

fn jax_rs(path: &str) -> Read {
    let segment = first_segment(path.as_bytes());
    bucket(decode(segment.split(|byte| *byte == b';').next().unwrap()))
}

/// One thing that is done to a path on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Decode,
    Backslashes,
    Merge,
    RemoveDots,
    CutAtNul,
}

/// A chain of proxies and a server: the steps in this order, each as often as it is there, but a path is decoded once only. What no step
/// has decoded is decoded after the split.
pub fn chain(path: &str, steps: &[Step]) -> Read {
    let (mut path, mut is_decoded) = (path.as_bytes().to_vec(), false);
    for step in steps {
        path = match step {
            Step::Decode if is_decoded => path,
            Step::Decode => {
                is_decoded = true;
                decode(&path)
            }
            Step::Backslashes => replaced(&path),
            Step::Merge => merged(&path),
            Step::RemoveDots => remove_dot_segments(&path),
            Step::CutAtNul => to_nul(&path),
        };
    }
    let first = first_segment(&path);
    bucket(if is_decoded { first } else { decode(&first) })
}

#[test]
fn the_readers_differ_where_they_are_known_to() {
    let read = |name: &str, path: &str| READERS.iter().find(|(known, _)| known.starts_with(name)).unwrap().1(path);
    let is = |name: &str| Read::Bucket(name.into());
    for (reader, path, expected) in [
        ("split", "/demo%2Fk", is("demo/k")),
        ("RGW", "/demo%2Fk", is("demo")),
        ("s3s", "/demo%2Fk", is("demo")),
        ("s3s", "/demo%ff/k", Read::Refused),
        ("split", "//demo/k", Read::Service),
        ("nginx:", "//demo/k", is("demo")),
        ("nginx:", "/x/%2e%2e/demo/k", is("demo")),
        ("nginx:", "/../demo/k", Read::Refused),
        ("nginx with", "/demo%253Fx/k", is("demo?x")),
        ("nginx with", "/demo%3Fx/k", is("demo")),
        ("nginx with", "/demo%252Fk", is("demo/k")),
        ("WHATWG URL, then split", "/x\\..\\demo\\k", is("demo")),
        ("WHATWG URL, then split", "/x/%2e%2E/demo/k", is("demo")),
        ("RFC 3986 of the raw", "/x/../demo/k", is("demo")),
        ("RFC 3986 of the raw", "/x/%2e%2e/demo/k", is("x")),
        ("RFC 3986 of the decoded", "/x/%2e%2e/demo/k", is("demo")),
        ("Envoy", "/x/a%2Fb/../..%2F..%2Fk", is("x")),
        ("C: the decoded path", "/demo%00x/k", is("demo")),
        ("Windows", "/x%5C..%5Cdemo", is("demo")),
        ("a raw", "/demo\\k", is("demo")),
        ("a store", "/x/../demo", is("demo")),
        ("JAX-RS", "/demo;v=1/k", is("demo")),
    ] {
        assert_eq!(read(reader, path), expected, "{reader} {path}");
    }
    let steps = [Step::RemoveDots, Step::Decode, Step::RemoveDots];
    assert_eq!(chain("/x/a%2Fb/../..%2Fdemo", &steps), is("demo"));
}
