"""Writes SCALE.md's tables, from a result and from the assumptions in scale.json."""

import json
import math
import sys

import edge
from edge import KIB, MIB, figure
from load import TESTS
from proxies import HERE
from table import line_of

PAGE, GIVEN = HERE / "SCALE.md", HERE / "scale.json"
STEPS = (1, 10, 100, 1000)


def markdown(header, rows):
    return "\n".join([line_of(header), "|" + "---|" * len(header), *map(line_of, rows)])


def of_node(node):
    """The limits of one node."""
    header = ["limit", "is", "allows, requests/s", "a full node takes", "set or add", "watch"]
    rows = [
        [limit.name, limit.is_now, figure(limit.rate), limit.needs, limit.act, limit.watch] for limit in node.limits()
    ]
    return markdown(header, rows)


def per_node(node):
    """What each full node adds to an edge: a name, how much, and whether only a whole one counts."""
    load, rate, rules, bound = node.load, node.rate, node.rules, node["bounded_buckets"]
    month, poll, price = 30 * 86400, node["poll_s"], node["s3_list_dollars"] / 1e6
    retained = node["sample_bytes"] * node["retention_days"] * 86400 / node["scrape_s"] / 1e9
    balancer = node["balancer_gbit"] * 1e9 / 8 * node.used
    yield "requests/s", rate, False
    yield "bodies, Gbit/s in each direction", rate * load.body_bytes * 8 / 1e9, False
    yield "CPU without TLS, cores", rate * load.cpu_s, False
    yield "CPU with TLS, cores, without handshakes", load.tls_cpu_s and rate * load.tls_cpu_s, False
    connections = rate / node["requests_a_connection"]
    yield "new client connections/s, each a TLS handshake", connections, False
    yield "CPU of these handshakes if none is resumed, cores", connections * node["handshake_us"] / 1e6, False
    yield "open client connections", rate * node.connections_each, False
    yield "connections to the storage in use", rate * node.transfers_each, False
    yield "memory, GiB", node.memory(rate) / KIB, False
    yield "storage: GET/s", rate * load.gets, False
    yield "storage: PUT/s", rate * load.puts, False
    yield "storage: S3 prefixes", 1 / node.nodes_of_a_prefix(), True
    yield "software load balancers, responses sent past them", rate * load.sent_bytes / balancer, True
    for title, shown in (("every bucket", None), (f"{bound} buckets", bound)):
        series = node.series(shown)
        yield f"{title}: series", series, False
        yield f"{title}: samples/s", series / node["scrape_s"], False
        yield f"{title}: Prometheus, GB of disk", series * retained, False
        yield f"{title}: Prometheus, servers", 1 / node.nodes_of_a_prometheus(shown), True
    yield "a full ConfigMap changes: the API server sends, MiB", node["configmap_kib"] / KIB, False
    yield "a document changes: CPU, s", rules["change_cpu_ms"] and rules["change_cpu_ms"] / 1000, False
    page = node["list_page"]
    for documents in (page, rules["documents"]):
        lists = math.ceil(documents / page) / poll
        yield f"rules in a store, {documents:,} documents: lists/s", lists, False
        yield f"rules in a store, {documents:,} documents: $ a month", lists * month * price, False


def of_edge(node):
    """What so many full nodes serve, and what the engines around them carry."""
    rows = []
    for name, each, is_whole in per_node(node):
        if each is None:
            cells = ["not measured"] * len(STEPS)
        else:
            cells = [figure(math.ceil(each * nodes) if is_whole else each * nodes) for nodes in STEPS]
        rows.append([name, *cells])
    return markdown(["full nodes", *(f"{nodes:,}" for nodes in STEPS)], rows)


def of_steps(node):
    """The limits of an edge, by the step at which they come."""
    header = ["step", "from", "what ends", "carried by", "set", "watch"]
    rows = []
    for limit in edge.edge_limits(node):
        step = next((f"{nodes:,}" for nodes in STEPS if limit.nodes <= nodes), "beyond")
        at = f"{figure(limit.nodes)} nodes" if limit.nodes > 1 else f"{figure(limit.nodes * node.rate)} requests/s"
        rows.append([step, at, limit.name, limit.carrier, limit.act, limit.watch])
    return markdown(header, rows)


def of_rules(node):
    """How many documents each way of delivery carries."""
    rules, sizes = node.rules, (node["document_bytes"], node.document_bytes())
    applied, largest = node["annotation_kib"] * KIB, node["configmap_kib"] * KIB
    documents = rules["documents"]
    a_document = rules["resident_mb"] * 1e6 / documents
    rows = [
        ["a ConfigMap by `kubectl apply` holds", *(f"{applied // size:,}" for size in sizes)],
        ["a ConfigMap by `kubectl apply --server-side` holds", *(f"{largest // size:,}" for size in sizes)],
        [f"ConfigMaps for {documents:,} documents", *(str(math.ceil(documents * size / largest)) for size in sizes)],
        ["half of the container's memory holds", "", figure(node["container_mib"] / 2 * MIB / a_document)],
    ]
    return markdown(["documents", "of 1 rule", f"of {rules['rules_each']} rules"], rows)


def of_assumptions(node, result):
    """Every assumption with its source. Those that follow each other with the same source share a line."""
    cpu, load, rules, page = edge.costs(result), node.load, node.rules, "[RESULTS.md](RESULTS.md)"
    threads = "up to two threads" if result.get("threads") else "with one thread"
    mix = ", ".join(f"{TESTS[name].title} {share * 100:.0f} %" for name, share in node.given["workload"].items())
    measured = ", ".join(f"{TESTS[name].title} {cpu[name]:,.0f}" for name in node.given["workload"])
    of_a_change = "" if rules["change_cpu_ms"] is None else f"{rules['change_cpu_ms']:g} ms of CPU a change, "
    lines = [
        [f"{mix}: {figure(load.body_bytes / 1000)} kB and {figure(load.cpu_s * 1e6)} µs of CPU a request", "chosen, see above"],
        [f"CPU, µs a request: {measured}", f"measured {threads}: {page}; that more cost the same is assumed"],
        [
            f"memory: {node.idle_kib:g} KiB an idle connection, at most {figure(node.transfer_mib * KIB)} KiB a slow transfer",
            f"measured: {page}",
        ],
        [
            f"{rules['documents']:,} documents of {rules['rules_each']} rules: {rules['resident_mb']:g} MB resident, "
            f"{rules['idle_cpu_percent']:g} % of a core at rest, {of_a_change}"
            f"start in {rules['start_s']:g} s, `/metrics` of {rules['metrics_mb']:g} MB",
            rules.get("source", f"measured: {page}"),
        ],
    ]  # fmt: skip
    for each in node.given["assumptions"].values():
        value = f"{each['value']:,}" if isinstance(each["value"], int) else f"{each['value']:g}"
        line = f"{each['what']}: {value} {each['unit']}".rstrip()
        if lines[-1][1] == each["source"]:
            lines[-1][0] += f"; {line}"
        else:
            lines.append([line, each["source"]])
    return markdown(["assumption", "source"], lines)


def page(result):
    """SCALE.md with the tables of this result, or None if it lacks what they need."""
    given = json.loads(GIVEN.read_text())
    if edge.OF_MEMORY not in result.get("memory", {}) or set(given["workload"]) - set(edge.costs(result)):
        return None
    node = edge.Node(result, given)
    tables = {
        "node": of_node(node),
        "edge": of_edge(node),
        "steps": of_steps(node),
        "rules": of_rules(node),
        "assumptions": of_assumptions(node, result),
    }
    text = PAGE.read_text()
    for name, written in tables.items():
        text = between(text, f"<!-- tests/bench/report writes {name} from here -->", "<!-- to here -->", written)
    return text


def between(text, begin, end, written):
    """The text with something else between two lines."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        sys.exit(f"{PAGE}: the lines {begin} and {end} are missing")
    return f"{before}{begin}\n{written}\n{end}{after}"
