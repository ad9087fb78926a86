"""What the pages show, in words: written by a person who has read the tables. A run that sees something else shows where to look again."""

USUAL = (
    """# S3 servers' own CORS, and s3cors in front of it

Written by `tests/e2e/run --write-report` and compared by every run, also as [a page to look at](report.html), with colours.
[ON_REQUEST.md](ON_REQUEST.md) is the same for servers that take long to build.

""",
    """What it shows:

- MinIO grants every origin everything, with credentials, on every response.
- Ceph RGW looks only at the first rule of an origin, sends no CORS headers with a 403 and no `Vary` without an `Origin`, so that
  a cache keeps a response without CORS headers for everyone.
- versitygw follows the rules. It sends no CORS headers with a 403, so that a page cannot read why, and `Vary` only with a grant, with the
  same effect on a cache. It exposes all metadata and the storage class, whatever the rules expose.
- SeaweedFS looks only at the first rule of an origin and answers a preflight that this rule does not allow with 200 and half a grant. A rule
  without AllowedHeader allows every header. A bucket without rules, or one that does not exist, is open to every origin, with credentials.
  Where a rule says `*`, it allows credentials too.
- s3s-fs has no CORS.
- s3cors sends the same in front of each of them: what S3 sends, and `Vary` on every response of a bucket with rules.

""",
)

ON_REQUEST = (
    """# The same with servers that take long to build

Written by `tests/e2e/run --with all --write-report`, and compared by every run with `--with all`. [REPORT.md](REPORT.md) has the others.

""",
    """What it shows:

- Garage answers every preflight with 200 and allows everything to everyone, whatever the rules are, so that a page may send what the
  rules forbid. Each response then follows the rules, except an error, which every origin may read.
- s3cors sends what it sends in front of the others.

""",
)
