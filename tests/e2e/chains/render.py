"""Renders CHAINS.md from what was observed."""

from chains import edges
from chains.policies import ALLOWED, OTHER
from chains.spoofing import ATTEMPTS
from chains.table import CHAINS
from servers import by_name

INTRODUCTION = """# Client addresses and TLS through chains of proxies

Written by `tests/e2e/run --write-report` and compared by every run: real proxies in front of s3cors, real storage with bucket policies
after it. s3cors has `forwarded.trusted` with the addresses of the proxies, and listeners with `listen.proxy_protocol` for those that
speak PROXY. How to set up each of them is in [deploy/guides](../../deploy/guides/client-addresses.md).

"""

POLICIES = f"""Two clients read one object, over http and https: {ALLOWED}, which the policy allows, and {OTHER}. A cell shows both statuses.
`aws:SecureTransport` allows everyone who connects with TLS; a cell shows http, then https. The same for an upload with SSE-C, which RGW
accepts only over TLS. `presigned` is an upload and a download with presigned URLs for the name that the client connects to. The last
column is `client` in the access log of s3cors for the first client.

MinIO takes `aws:SourceIp` from the first address in `X-Forwarded-For`. For `aws:SecureTransport` it looks only at its own connection, so
behind a proxy that condition says nothing about the client. RGW needs `rgw_remote_addr_param = HTTP_X_FORWARDED_FOR` for the first, and
`rgw_trust_forwarded_https = true` for TLS and SSE-C.

"""

ARRIVES = f"""What the storage receives of a request from {ALLOWED}; it has no other `X-Forwarded-*`, `X-Real-IP` or `Forwarded`.

"""

SPOOFING = f"""{OTHER} claims to be {ALLOWED}, or the storage's own side, or to use TLS. The columns of MinIO and RGW show what each responds to
the claim without s3cors: 200 means that it believes. The others show the response in each chain, of MinIO and then of RGW if it differs.
`closed` is a connection that ended without a response.

"""

KEY_HOLDER = f"""A policy of RGW keeps a user to {ALLOWED}. The user presigns a URL that signs `X-Forwarded-For: {ALLOWED}` too, and uses it from {OTHER}.
s3cors does not change what is signed. A proxy that does breaks the signature. Where s3cors faces the clients itself, do not rely on
`aws:SourceIp` for users with keys.

"""

PROXIED_LISTENER = f"""{OTHER} connects to a listener with `proxy_protocol` itself. Without a PROXY header the connection is closed. What says PROXY
is believed: only the proxy may be able to connect to such a listener.

"""

COLUMNS = (
    ("MinIO, `aws:SourceIp`", "minio", "by-address"),
    ("RGW, `aws:SourceIp`", "rgw", "by-address"),
    ("MinIO, `aws:SecureTransport`", "minio", "by-scheme"),
    ("RGW, `aws:SecureTransport`", "rgw", "by-scheme"),
)
KEY_COLUMNS = ("chain", f"from {ALLOWED}", f"from {OTHER}", "with a signed claim")
SCHEMES = ("http", "https")
VERSIONS = "Versions:"


def versions():
    servers = [f"{by_name(name).TITLE} {by_name(name).version()}" for name in ("minio", "rgw")]
    proxies = [f"{module.NAME} {module.version()}" for module in edges.by_name().values()]
    return f"{VERSIONS} {', '.join(servers + proxies)}\n\n"


def _table(heading, about, columns, rows):
    lines = [f"## {heading}", "", about + "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", ""])


def _both(first, second):
    return first if first == second else f"{first}, then {second}"


def _by_address(cells):
    """The statuses for both clients: the same with both schemes, or each."""
    pairs = [" / ".join(cells["by-address", scheme, client] for client in (ALLOWED, OTHER)) for scheme in SCHEMES]
    return _both(*pairs)


def _by_scheme(cells):
    return " / ".join(cells["by-scheme", scheme, OTHER] for scheme in SCHEMES)


def _policies(seen, chain):
    row = [chain.title, chain.tells]
    for _, server, bucket in COLUMNS:
        cells = seen[server].cells[chain.title]
        row.append(_by_address(cells) if bucket == "by-address" else _by_scheme(cells))
    rgw = seen["rgw"].cells[chain.title]
    row.append(" / ".join(rgw["sse-c", scheme] for scheme in SCHEMES))
    row.append(_both(*(rgw["presigned", scheme] for scheme in SCHEMES)))
    return [*row, _both(*(rgw["client", scheme] for scheme in SCHEMES))]


def _arrives(told, chain):
    return [chain.title, *("<br>".join(f"`{n}: {v}`" for n, v in told[chain.title, scheme]) for scheme in SCHEMES)]


def _key_holder(seen, chain):
    cells = seen["rgw"].cells[chain.title]
    return [chain.title, *(_both(*pair) for pair in zip(*(cells["key", scheme] for scheme in SCHEMES), strict=True))]


def _spoofing(seen, attempt):
    row = [attempt.title, *(seen[server].alone[attempt.title] for server in ("minio", "rgw"))]
    for chain in CHAINS:
        minio, rgw = (seen[server].attempts[attempt.title][chain.title] for server in ("minio", "rgw"))
        row.append(_both(minio, rgw))
    return row


def render(seen, told):
    """The page, from what was seen with each server and what arrived."""
    titles = [column[0] for column in COLUMNS]
    columns = ["chain", "s3cors learns the client from", *titles, "RGW, SSE-C", "presigned", "access log"]
    numbered = [f"{number}" for number, _ in enumerate(CHAINS, 1)]
    legend = (
        "The chains: " + ", ".join(f"{n} {chain.title}" for n, chain in zip(numbered, CHAINS, strict=True)) + ".\n\n"
    )
    return (
        INTRODUCTION
        + versions()
        + _table("Policies", POLICIES, columns, [_policies(seen, chain) for chain in CHAINS])
        + _table("What arrives", ARRIVES, ["chain", "http", "https"], [_arrives(told, chain) for chain in CHAINS])
        + _table(
            "Claims",
            SPOOFING + legend,
            ["the stranger sends", "MinIO alone", "RGW alone", *numbered],
            [_spoofing(seen, attempt) for attempt in ATTEMPTS],
        )
        + _table("Users with keys", KEY_HOLDER, KEY_COLUMNS, [_key_holder(seen, chain) for chain in CHAINS])
        + _table(
            "A listener with `proxy_protocol`",
            PROXIED_LISTENER,
            ["the stranger sends", "response"],
            list(seen["minio"].proxied.items()),
        ).rstrip()
        + "\n"
    )
