"""What `s3cors check --profile` says that a client needs, read out of its warnings, and the smallest rules that end them.

A user who knows nothing of the client has these warnings and no more, so rules that follow them must let the real client work."""

import dataclasses
import json
import re

from harness.environment import PROGRAM
from harness.processes import Failed, output_of

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
SAID = re.compile(r"\S+?(?: with (?P<option>.+?))? cannot (?P<task>.+) from \"[^\"]*\": (?P<missing>.+)")
NOT_ALLOWED, NOT_EXPOSED = " not allowed", " not exposed"


@dataclasses.dataclass
class Need:
    """What a client needs of the rule for one method: headers that a preflight asks for, and response headers that it reads."""

    headers: set = dataclasses.field(default_factory=set)
    reads: set = dataclasses.field(default_factory=set)


def _rule(origin, methods, headers=(), exposed=()):
    rule = {"AllowedOrigins": [origin], "AllowedMethods": list(methods)}
    if headers:
        rule["AllowedHeaders"] = sorted(headers)
    if exposed:
        rule["ExposeHeaders"] = sorted(exposed)
    return rule


class _Asked:
    """A profile, asked with one set of rules after the other."""

    def __init__(self, client, origin, folder):
        self.client, self.origin = client, origin
        self.file = folder / f"asked-for-{client}.json"

    def missing(self, *rules):
        """What the client cannot do with these rules: the ends of what is said."""
        self.file.write_text(json.dumps({"CORSRules": rules}))
        found = json.loads(output_of(PROGRAM, "check", "--profile", self.client, "--format", "json", self.file))
        # What only an option of the client needs is a note.
        unserved = [one for one in found["warnings"] + found.get("notes", []) if one["code"] == "ProfileNotServed"]
        missing = []
        for one in unserved:
            said = SAID.fullmatch(one["message"])
            if not said:
                raise Failed(f"check --profile {self.client} says {one['message']!r}")
            missing.append(said["missing"])
        return missing

    def names(self, ending, *rules):
        """The headers that are missing with these rules, by what is said at the end."""
        lists = [missing.removesuffix(ending) for missing in self.missing(*rules) if missing.endswith(ending)]
        return {name for names in lists for name in names.split(", ")}

    def need(self, method, exposed):
        """What one method's rule has to have, with all others allowed; None if the client does not use the method."""
        rest = [name for name in METHODS if name != method]
        others = _rule(self.origin, rest, "*", exposed)
        if f"{method} is not allowed" not in self.missing(others):
            return None
        headers = self.names(NOT_ALLOWED, others, _rule(self.origin, [method], (), exposed))
        reads = self.names(NOT_EXPOSED, others, _rule(self.origin, [method], "*"))
        return Need(headers, reads)


def rules(client, origin, folder):
    """The needs of a client by method, and the smallest rules for it: one for each method."""
    asked = _Asked(client, origin, folder)
    exposed = asked.names(NOT_EXPOSED, _rule(origin, METHODS, "*"))
    needs = {method: need for method in METHODS if (need := asked.need(method, exposed))}
    document = [_rule(origin, [method], need.headers, need.reads) for method, need in needs.items()]
    if missing := asked.missing(*document):
        raise Failed(f"rules that follow the warnings of check --profile {client} have warnings: {missing}")
    return needs, document
