"""Paths that no one has thought of: pieces of listed and unlisted ones, in random order, spelled in random ways."""

import random

from private.attempts import APP, DOMAIN, FILMS, OTHER, PUBLIC, SUBRESOURCES, VAULT, Attempt

COUNT, SEED = 1000, 20261201
# No piece is the film's own segment: every object below the token is a secret then.
PIECES = (VAULT, OTHER, FILMS, "open", "openly", "site", "secret", "films", "7", "8", "storage", "~TOKEN", "~")
PIECES += ("secret.txt", "secret.ts", "7secret.ts", "listed.txt", "open.txt", "index.html", "missing")
PIECES += ("..", "..", "..", ".", "", "%2e%2e", "%2E.", ".%2e", "..;", "..%00", "%252e%252e", "%c0%ae%c0%ae", "...")
BETWEEN = ("/", "/", "/", "/", "//", "%2f", "%2F", "%252f", "\\", "%5c", "/./", ";/", "%00/", "?/", "%3f/")
BEGINNINGS = (f"/{VAULT}/open/", f"/{VAULT}/site/", f"/{FILMS}/~TOKEN/films/7/", f"/{FILMS}/~TOKEN/", f"/{VAULT}/", "/")
HOSTS = (None, None, f"{VAULT}.{DOMAIN}", f"{FILMS}.{DOMAIN}", PUBLIC, APP)


def _spelled(piece, chance):
    """Some letters percent-encoded, which is the same key."""
    if piece.startswith("~"):
        return piece
    return "".join(f"%{ord(one):02x}" if one.isalnum() and chance.random() < 0.05 else one for one in piece)


def attempts():
    """The same ones in each run."""
    chance = random.Random(SEED)
    for _ in range(COUNT):
        target = chance.choice(BEGINNINGS)
        for number in range(chance.randint(1, 6)):
            target += (chance.choice(BETWEEN) if number else "") + _spelled(chance.choice(PIECES), chance)
        if chance.random() < 0.1:
            target += f"?{chance.choice(SUBRESOURCES)}"
        host = chance.choice(HOSTS)
        if host == APP and chance.random() < 0.8:
            target = f"/storage{target}"
        yield Attempt(target, target, host=host)
