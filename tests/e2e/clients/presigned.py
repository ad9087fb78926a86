"""Presigned requests, sent as anyone with the link can send them."""

import urllib3

from clients import Refused
from clients.operations import digest

_POOL = urllib3.PoolManager(retries=False)


def send(method, url, **content):
    """Sends it, and returns status and body."""
    answer = _POOL.request(method, url, **content)
    if answer.status >= 300:
        raise Refused(f"{answer.status} {answer.data.decode(errors='replace')}")
    return f"{answer.status} {digest(answer.data)}"
