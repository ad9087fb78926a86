"""What runs for the reports in front of one storage: s3cors with every setting, and each report's chain twice, with s3cors and without."""

import contextlib
import dataclasses
import json
import random
import socket

from harness.processes import connects, eventually, running
from harness.proxy import proxy
from replays import fronts
from replays.table import NAMED, REPLAYS

EVERY = (*REPLAYS, *NAMED)


@dataclasses.dataclass(frozen=True)
class Chain:
    """Where a report's client arrives: with s3cors in the chain, and without."""

    opened: str
    without: str
    s3cors: object = None


# Below the ports that the system gives to those that ask for any: with so many of them, one would be taken meanwhile.
PORTS = range(15000, 32000)


def _free_port():
    """A port that is free now."""
    while True:
        port = random.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class _Blocks:
    """The blocks of each program's configuration."""

    def __init__(self):
        self._blocks = {}
        self._ports = set()

    def add(self, front, to):
        """The address at which a front accepts clients; without a front it is where it would forward to."""
        if not front.program:
            return to
        while (port := _free_port()) in self._ports:
            pass
        self._ports.add(port)
        self._blocks.setdefault(front.program, {})[port] = front.block.format(port=port, to=to)
        return f"127.0.0.1:{port}"

    @contextlib.contextmanager
    def started(self, name, folder):
        with contextlib.ExitStack() as programs:
            for program, blocks in self._blocks.items():
                place = folder / f"{name}-{program}"
                place.mkdir(parents=True)
                file = place / "configuration"
                file.write_text(fronts.configuration(program, blocks.values(), place))
                process = programs.enter_context(running(f"{name}-{program}", *fronts.command(program, file)))
                for port in blocks:
                    eventually(f"{program} accepts connections", lambda port=port: connects(port), process)
            yield


def groups():
    """The settings of all reports, joined where they do not contradict each other, each with the reports that it is for."""
    joined = []
    for replay in EVERY:
        for setting, replays in joined:
            # Only maps of hosts are joined. Every other setting is for the whole process.
            if (
                setting.keys() == replay.setting.keys()
                and replays[0].behind == replay.behind
                and _agree(setting, replay.setting)
            ):
                setting.get("hosts", {}).update(replay.setting.get("hosts", {}))
                replays.append(replay)
                break
        else:
            own = replay.setting | ({"hosts": dict(replay.setting["hosts"])} if "hosts" in replay.setting else {})
            joined.append((own, [replay]))
    return joined


def _agree(one, other):
    if "hosts" not in one:
        return one == other
    return all(one["hosts"].get(name, value) == value for name, value in other["hosts"].items())


def missing():
    """Why the reports cannot be replayed, or None."""
    absent = [
        program for program in sorted({replay.front.program for replay in EVERY} - {""}) if not fronts.is_there(program)
    ]
    return f"not installed: {' '.join(absent)}" if absent else None


@contextlib.contextmanager
def started(storage, rules, folder):
    """All chains in front of a storage, by report."""
    folder.mkdir(parents=True)
    name = f"replays-{storage.name}"
    behind, before, chains = _Blocks(), _Blocks(), {}
    joined = groups()
    ends = [behind.add(replays[0].behind or fronts.NOTHING, storage.address) for _, replays in joined]
    with contextlib.ExitStack() as programs:
        programs.enter_context(behind.started(f"{name}-behind", folder))
        for number, ((setting, replays), end) in enumerate(zip(joined, ends, strict=True)):
            # JSON is YAML.
            s3cors = programs.enter_context(proxy(f"{name}-{number}", rules, f"http://{end}", json.dumps(setting)))
            for replay in replays:
                chains[replay] = Chain(before.add(replay.front, s3cors.address), before.add(replay.front, end), s3cors)
        programs.enter_context(before.started(name, folder))
        yield chains


@contextlib.contextmanager
def ending_at(address, folder):
    """Each report's chain up to s3cors, with another end."""
    before = _Blocks()
    chains = {replay: before.add(replay.front, address) for replay in EVERY}
    with before.started("replays-arriving", folder):
        yield chains
