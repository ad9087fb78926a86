"""Requests that were signed beforehand, sent as anybody could who was given them."""

import urllib3

from clients import Refused
from clients.operations import digest

_POOL = urllib3.PoolManager(retries=False)


def send(method, url, **content):
    """Sends it, and says status and body."""
    answer = _POOL.request(method, url, **content)
    if answer.status >= 300:
        raise Refused(f"{answer.status} {answer.data.decode(errors='replace')}")
    return f"{answer.status} {digest(answer.data)}"
