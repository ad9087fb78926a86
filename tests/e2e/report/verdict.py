"""What a server's own response means to a browser, beside the one that the rules ask for.

The response of s3cors is the measure: `tests/conformance` holds it to what AWS records.
"""

import enum

from report.requests import HEADERS, METHOD, ORIGIN, PREFLIGHTS


class Verdict(enum.Enum):
    """How a server's response differs, the worst first."""

    OPENS = "opens"
    BREAKS = "breaks"
    DIFFERS = "differs"
    SAME = "same"


def _names(answer, name):
    """The members of a list, as they are spelled."""
    return {token.strip() for value in answer.values(name) for token in value.split(",") if token.strip()}


def _lowered(names):
    return {name.lower() for name in names}


def _passes_preflight(asked, answer):
    """Whether the method and the headers of the actual request are allowed (Fetch, CORS-preflight fetch)."""
    methods = _names(answer, "access-control-allow-methods")
    # GET, HEAD and POST need no permission of their own (Fetch, CORS-safelisted method).
    is_allowed = asked.get(METHOD) in methods | {"GET", "HEAD", "POST"} or "*" in methods
    wanted = _lowered(name.strip() for name in asked.get(HEADERS, "").split(",") if name.strip())
    headers = _lowered(_names(answer, "access-control-allow-headers"))
    return 200 <= answer.status <= 299 and is_allowed and (wanted <= headers or "*" in headers)


def _allows(case, answer):
    """Whether a browser lets the page go on without credentials, and with them (Fetch, CORS check)."""
    asked = dict(case.headers)
    origin = answer.values("access-control-allow-origin")
    if ORIGIN not in asked or origin not in (["*"], [asked[ORIGIN]]):
        return False, False
    if case in PREFLIGHTS and not _passes_preflight(asked, answer):
        return False, False
    return True, origin != ["*"] and answer.values("access-control-allow-credentials") == ["true"]


def _beside_the_grant(case, answer, is_granted):
    """What else a browser or a cache makes of the response: how long a preflight holds, what a script may read, and for whom the
    response is (RFC 9110 §12.5.5). No cache keeps a response to OPTIONS.
    """
    if case in PREFLIGHTS:
        return answer.values("access-control-max-age") if is_granted else None
    read = _lowered(_names(answer, "access-control-expose-headers")) if is_granted else set()
    return read, "origin" in _lowered(_names(answer, "vary"))


def judge(case, own, ours):
    """How a server's own response to this request differs from ours."""
    own_allows, ours_allow = _allows(case, own), _allows(case, ours)
    if any(own and not ours for own, ours in zip(own_allows, ours_allow, strict=True)):
        return Verdict.OPENS
    if own_allows != ours_allow:
        return Verdict.BREAKS
    beside = (_beside_the_grant(case, answer, any(ours_allow)) for answer in (own, ours))
    return Verdict.SAME if next(beside) == next(beside) else Verdict.DIFFERS
