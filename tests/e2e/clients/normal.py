"""Removes from a client's output what differs between calls and has no meaning."""

import re

# Ids that a server makes for a request or an upload, times, speeds, signatures, and where the server is.
RULES = (
    (r"127\.0\.0\.1(?::|%3A)\d+", "SERVER"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|\+00:00| \+0000)?", "TIME"),
    (r"\d{8}T\d{6}Z", "TIME"),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"(?i)\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "TIME"),
    (r"(<(RequestId|HostId)>)[^<]*", r"\1ID"),
    (r"(?i)(request[ _]?id\"?:? ?\"?)[\w-]+", r"\1ID"),
    (r"(?i)(host[ _]?id\"?:? ?\"?)[\w/+=-]+", r"\1ID"),
    (r"(?i)(extended_request_id\W+Some\(\W*)[\w/+=-]+", r"\1ID"),
    (r"(?i)(upload_?id\"?[:=>]+ ?\"?)[\w.~-]+", r"\1ID"),
    (r"(X-Amz-Signature=)[^<&\s]*", r"\1ID"),
    (r"(<(?:SignatureProvided|StringToSign|CanonicalRequest|StringToSignBytes|CanonicalRequestBytes)>)[^<]*", r"\1ID"),
    (r"in \d+(\.\d+)? seconds?(, [\d.]+ \w+/s)?", "in a while"),
    (r"/\S*s3cors-e2e-\w+", "SCRATCH"),
)


def normal(text):
    """The text without what changes from call to call."""
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text
