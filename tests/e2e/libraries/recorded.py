"""What a library asked for and read, as it was on the wire and in its scripts."""

import re
from urllib.parse import parse_qsl, urlsplit

# Readable without permission (Fetch, CORS-safelisted response-header name).
READABLE = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
# Media types that a page may send without permission (Fetch, CORS-safelisted request-header).
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
ALL = "*"
# Of a signed link; the others say which operation of S3 it is.
SIGNATURE = re.compile(r"x-amz-|x-id$", re.IGNORECASE)
SIGNED = "x-amz-signature"


class Recorded:
    """The exchanges of one run with s3cors, and the response headers that the scripts read."""

    def __init__(self, exchanges, reads):
        self.exchanges = [one for one in exchanges if one["method"] != "OPTIONS"]
        self.preflights = [one for one in exchanges if one["method"] == "OPTIONS"]
        self.reads = {}
        for read in reads:
            if read["name"] not in READABLE:
                self.reads.setdefault(read["method"], set()).add(read["name"])

    def denied(self):
        """The preflights that were not granted."""
        about = (("method", "access-control-request-method"), ("headers", "access-control-request-headers"))
        return [
            ", ".join(f"{title} {one['headers'].get(name)}" for title, name in about)
            for one in self.preflights
            if one.get("status") != 200
        ]

    def asked(self):
        """The headers that need permission, by method."""
        names = {one["method"]: set() for one in self.exchanges}
        for one in self.preflights:
            names.setdefault(one["headers"]["access-control-request-method"], set()).update(_permission(one))
        # What a browser was told of one method it remembers for the others, and asks no more.
        known = set().union(*map(_permission, self.preflights))
        for one in self.exchanges:
            names[one["method"]] |= {name for name in known if _needs_permission(name, one["headers"])} | _range(one)
        return names

    def objects(self):
        """The keys of each method's requests, with the names of the query that say which operation it is."""
        kinds = {}
        for one in self.exchanges:
            kinds.setdefault(one["method"], set()).add(_about(one["target"]))
        return kinds

    def of(self, key):
        """The responses with bytes of this object: each status, and all bytes together."""
        found = [one for one in self.exchanges if urlsplit(one["target"]).path.endswith(f"/{key}")]
        return [one.get("status") for one in found if one["method"] == "GET"], sum(one["bytes"] for one in found)


def _permission(preflight):
    """The headers that it asks for."""
    return {name for name in preflight["headers"].get("access-control-request-headers", "").split(",") if name}


def _needs_permission(name, headers):
    return name in headers and not (name == "content-type" and headers[name].startswith(FORMS))


def _range(exchange):
    """A range that a script asks for: newer browsers ask no permission for most of them, others do. For an element the browser asks."""
    scripted = exchange["headers"].get("sec-fetch-dest") == "empty"
    return {"range"} if scripted and "range" in exchange["headers"] else set()


def _about(target):
    parts = urlsplit(target)
    _, _, key = parts.path.lstrip("/").partition("/")
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    shown = [name for name in names if not SIGNATURE.match(name)]
    signed = " (signed link)" if any(name.lower() == SIGNED for name in names) else ""
    return f"/{key}{'?' if shown else ''}{'&'.join(shown)}{signed}"
