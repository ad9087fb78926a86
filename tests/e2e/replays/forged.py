"""Forged requests, through the same chains: a signature of the report's client is used for something else, or a key is not its own."""

import dataclasses

from bucket_cors.signature import ago
from replays.asked import BUCKET, CONTENT, PRIVATE, SECRET, UPLOADED, WRONG

OTHER_KEY = "reports/not-shared.txt"
# No honest client writes below it.
FORGED = "forged/"


def _with(client, **about):
    return dataclasses.replace(client, **about)


def _link_with_a_wrong_key(client):
    return client.send("GET", _with(client, secret=WRONG).link("GET", client.replay.key))


def _head_with_a_wrong_key(client):
    return client.send("HEAD", _with(client, secret=WRONG).link("HEAD", client.replay.key))


def _at(client, target, path):
    """The query of a link, at another path."""
    return f"{path}?{target.partition('?')[2]}"


def _another_bucket(client):
    target = client.link("GET", client.replay.key)
    return client.send("GET", _at(client, target, client.path(client.replay.key, PRIVATE)))


def _another_key(client):
    return client.send("GET", _at(client, client.link("GET", client.replay.key), client.path(OTHER_KEY)))


def _the_signature_of_another_link(client):
    own, other = (client.link("GET", key) for key in (OTHER_KEY, client.replay.key))
    signature = other.rpartition("X-Amz-Signature=")[2]
    return client.send("GET", own.rpartition("X-Amz-Signature=")[0] + f"X-Amz-Signature={signature}")


def _a_longer_life(client):
    target = client.link("GET", client.replay.key, seconds=60)
    return client.send("GET", target.replace("X-Amz-Expires=60", "X-Amz-Expires=604800"))


def _another_answer(client):
    """Parameters that a link did not sign, and that turn an object into a page."""
    target = client.link("GET", client.replay.key, parameters=(("response-content-type", "text/plain"),))
    return client.send("GET", target.replace("text%2Fplain", "text%2Fhtml"))


def _expired(client):
    request = client.signer().link("GET", client.path(client.replay.key), when=ago(seconds=120), seconds=60, query=())
    return client.send("GET", request.target)


def _delete(client):
    return client.send("DELETE", client.link("GET", client.replay.key))


def _put(client):
    return client.send("PUT", client.link("GET", client.replay.key), (), UPLOADED)


def _an_unknown_key(client):
    key = "GK" + "cd" * 12 if client.storage.name == "garage" else "UNKNOWNACCESSKEY0000"
    request = client.signer(access_key=key).request("GET", client.path(client.replay.key), query="")
    return client.send("GET", request.target, request.headers)


def _authorization_with_a_wrong_key(client):
    request = _with(client, secret=WRONG).signer().request("GET", client.path(client.replay.key), query="")
    return client.send("GET", request.target, request.headers)


def _upload_with_a_wrong_key(client):
    request = _with(client, secret=WRONG).signer().request("PUT", client.path(f"{FORGED}1"), query="", body=UPLOADED)
    return client.send("PUT", request.target, request.headers, UPLOADED)


def _upload_by_a_link_with_a_wrong_key(client):
    return client.send("PUT", _with(client, secret=WRONG).link("PUT", f"{FORGED}2"), (), UPLOADED)


def _chunks_with_a_wrong_key(client):
    request = _with(client, secret=WRONG).signer().chunked(client.path(f"{FORGED}3"), UPLOADED, query="")
    return client.send("PUT", request.target, request.headers, request.body)


def _another_body(client):
    request = client.signer().request("PUT", client.path(f"{FORGED}4"), query="", body=UPLOADED)
    return client.send("PUT", request.target, request.headers, UPLOADED[::-1])


def _another_chunk(client):
    request = client.signer().chunked(client.path(f"{FORGED}5"), UPLOADED, UPLOADED[::-1], query="")
    return client.send("PUT", request.target, request.headers, request.body)


def _a_signed_header_changed(client):
    headers = (("x-amz-meta-owner", "reader"),)
    request = client.signer().request("PUT", client.path(f"{FORGED}6"), query="", body=UPLOADED, headers=headers)
    changed = [(name, "writer" if name == "x-amz-meta-owner" else value) for name, value in request.headers]
    return client.send("PUT", request.target, changed, UPLOADED)


def _another_range(client):
    request = client.signer().request(
        "GET", client.path(client.replay.key), query="", headers=(("range", "bytes=0-3"),)
    )
    changed = [(name, "bytes=0-" if name == "range" else value) for name, value in request.headers]
    return client.send("GET", request.target, changed)


FORGERIES = {
    "a link with a wrong secret key": _link_with_a_wrong_key,
    "a link's query for another bucket": _another_bucket,
    "a PUT with a wrong secret key": _upload_with_a_wrong_key,
    "a link with a longer life": _a_longer_life,
    "a link that has expired": _expired,
    "a link for GET, used to delete": _delete,
    "another body": _another_body,
    "a link's query for another key": _another_key,
    "a HEAD with a wrong secret key": _head_with_a_wrong_key,
    "a GET with a wrong secret key": _authorization_with_a_wrong_key,
    "a PUT by a link with a wrong secret key": _upload_by_a_link_with_a_wrong_key,
    "a link with another response-content-type": _another_answer,
    "a link for GET, used to write": _put,
    "a signed header that was changed": _a_signed_header_changed,
    "the signature of another link": _the_signature_of_another_link,
    "signed chunks with a wrong secret key": _chunks_with_a_wrong_key,
    "an access key that does not exist": _an_unknown_key,
    "another chunk": _another_chunk,
    "another signed range": _another_range,
}
# Of each report, which are sent: the next ones in turn.
EACH = 4


def sent_through(number):
    """The forgeries for one report, by name."""
    names = list(FORGERIES)
    return [names[(number * EACH + step) % len(names)] for step in range(EACH)]


def passed(answer):
    """Whether a forged request got anything: a success, or an object's content."""
    content = any(part.decode() in answer.body for part in (CONTENT, SECRET))
    return answer.status < 400 or content


def written(s3):
    """What forged requests stored."""
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=FORGED).get("Contents", ())]
