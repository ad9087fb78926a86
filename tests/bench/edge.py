"""What one node and an edge of many nodes serve, and where they end: computed from measured costs and from assumptions.

Every limit of a node is a rate of requests that it allows, and every limit of an edge a number of nodes: so the first one is found by
sorting.
"""

import math
from typing import NamedTuple

import rounds
from load import TESTS

# As it ships: with the access log.
PROXY = "s3cors-log"
# The log takes no memory of a connection's own.
OF_MEMORY = "s3cors"
# The transfers of the scene in tests/bench/memory.py.
SLOW = 300
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class Load(NamedTuple):
    """The mean request of the workload."""

    cpu_s: float
    # With TLS on kept connections, where it has been measured.
    tls_cpu_s: float | None
    body_bytes: float
    sent_bytes: float
    gets: float
    puts: float
    forwarded: float


class NodeLimit(NamedTuple):
    """Where a node ends, in requests a second, what it would need to be full, and what an operator does."""

    name: str
    is_now: str
    rate: float
    needs: str
    act: str
    watch: str


class EdgeLimit(NamedTuple):
    """Where an edge ends, in full nodes, and what carries more."""

    name: str
    nodes: float
    carrier: str
    act: str
    watch: str


def costs(result):
    """CPU time of each test that was measured, in microseconds a request."""
    return {name: rounds.summary(runs)[PROXY]["cpu_us"] for name, runs in result["rounds"].items() if PROXY in runs}


def mean_request(result, shares):
    cpu = costs(result)
    tests = {name: TESTS[name] for name in shares}

    def mean(value):
        return sum(share * value(tests[name]) for name, share in shares.items())

    plain, size = mean(lambda test: cpu[test.name]), mean(lambda test: test.sent + test.received)
    return Load(
        cpu_s=plain / 1e6,
        tls_cpu_s=with_tls(cpu, plain, size),
        body_bytes=size,
        sent_bytes=mean(lambda test: test.sent),
        gets=mean(lambda test: test.method == "GET"),
        puts=mean(lambda test: test.method == "PUT"),
        forwarded=mean(lambda test: not test.is_preflight),
    )


def with_tls(cpu, plain, size):
    """The mean request with TLS: a cost a request and a cost a byte, from the two sizes that are measured with and without it."""
    if not {"tls-get1k", "tls-get64k"} <= set(cpu):
        return None
    small, large = (max(0.0, cpu[f"tls-{name}"] - cpu[name]) for name in ("get1k", "get64k"))
    a_byte = max(0.0, large - small) / (TESTS["get64k"].received - TESTS["get1k"].received)
    return (plain + small + a_byte * size) / 1e6


class Node:
    """One node under the workload. What ends with `_each` is for each request a second."""

    def __init__(self, result, given):
        self.given = given
        self.rules = result.get("rules") or given["rules"]
        self.load = mean_request(result, given["workload"])
        memory = result["memory"][OF_MEMORY]
        self.idle_kib, self.transfer_mib = memory["idle_kib"], memory["downloads_mib"] / SLOW
        # A body takes as long as its client needs, and holds a connection to the storage for that time.
        self.transfers_each = self.load.body_bytes * 8 / (self["client_mbit"] * 1e6)
        # A client's connection lives for its requests, then waits for another one.
        self.connections_each = self["idle_s"] / self["requests_a_connection"] + self.transfers_each
        self.tracked_each = self.connections_each + self.transfers_each
        self.tracked_each += self["conntrack_closed_s"] / self["requests_a_connection"]
        self.unkept_each = self.load.forwarded * self["port_closed_s"] + self.transfers_each
        self.mib_each = self.connections_each * self.idle_kib / KIB + self.transfers_each * self.transfer_mib
        # The rules, and what unfinished heads may take.
        self.fixed_mib = self.rules["resident_mb"] * 1e6 / MIB + self["heads_mib"]
        self.rate = min(rate for _, _, rate, *_ in self.hardware())

    def __getitem__(self, name):
        return self.given["assumptions"][name]["value"]

    @property
    def used(self):
        return self["utilisation"] / 100

    def hardware(self):
        """What no setting changes. The first of these makes a node full."""
        share, cpu_watch = f"{self['utilisation']} % of", "`process_cpu_seconds_total`, S3corsSlow"
        yield (
            "network, Gbit/s",
            f"{share} {self['network_gbit']}",
            self["network_gbit"] * 1e9 / 8 * self.used / self.load.body_bytes,
            self.load.body_bytes * 8 / 1e9,
            "nodes, or a faster network",
            "`node_network_transmit_bytes_total`",
        )
        for name, cost in (("CPU without TLS, cores", self.load.cpu_s), ("CPU with TLS, cores", self.load.tls_cpu_s)):
            if cost:
                yield name, f"{share} {self['cores']}", self["cores"] * self.used / cost, cost, "nodes", cpu_watch
        yield (
            "memory, MiB",
            f"{share} {self['memory_gib'] * KIB:,}",
            (self["memory_gib"] * KIB * self.used - self.fixed_mib) / self.mib_each,
            self.mib_each,
            "nodes",
            "`process_resident_memory_bytes`",
        )

    def settings(self):
        """What an operator sets, as it ships: name, value, what each request a second takes of it, what to do, what to watch."""
        pod_cores = self["cpu_request"] * self["autoscaler_target"] / 100
        addresses = "addresses in `upstream.url`"
        none_kept = "ports to one storage address, with `upstream.keepalive.connections: 0`"
        saturated = "S3corsSaturated"
        return (
            ("cores from which the autoscaler adds a pod", pod_cores, self.load.cpu_s, "`resources.requests.cpu`", "`process_cpu_seconds_total`"),
            ("open connections", self["connections"], self.connections_each, "`limits.connections`; less `limits.idle`; HTTP/2", f"`s3cors_connections_open`, {saturated}"),
            ("tracked connections", self["conntrack"], self.tracked_each, "kube-proxy's `conntrack.maxPerCore`", "`node_nf_conntrack_entries`"),
            ("open files", self["open_files"], self.connections_each + self.transfers_each, "`LimitNOFILE`", f"`process_open_fds`, {saturated}"),
            (none_kept, self["ports"], self.unkept_each, f"`upstream.keepalive`; {addresses}", "S3corsUpstreamErrors"),
            ("ports to one storage address", self["ports"], self.transfers_each, addresses, "S3corsUpstreamErrors"),
        )  # fmt: skip

    def limits(self):
        """All limits of a node, the first one first."""
        found = [
            NodeLimit(
                name,
                f"{value:,}" if isinstance(value, int) else figure(value),
                value / each,
                figure(self.rate * each),
                act,
                watch,
            )
            for name, value, each, act, watch in self.settings()
        ]
        for name, value, rate, each, act, watch in self.hardware():
            needs = self.memory(self.rate) if name == "memory, MiB" else self.rate * each
            found.append(NodeLimit(name, value, rate, figure(needs), act, watch))
        room = max(0.0, self["container_mib"] - self.fixed_mib)
        found.append(
            NodeLimit(
                "memory of the container, MiB",
                figure(self["container_mib"]),
                room / self.mib_each,
                figure(self.memory(self.rate)),
                "`resources.limits.memory`",
                "`process_resident_memory_bytes`",
            )
        )
        return sorted(found, key=lambda limit: limit.rate)

    def memory(self, rate):
        """MiB at a rate."""
        return self.fixed_mib + rate * self.mib_each

    def series(self, bound=None):
        """Time series of a node whose metrics show every bucket, or so many, with one for the others."""
        documents = self.rules["documents"]
        shown = documents if bound is None else min(documents, bound + 1)
        return self["series_fixed"] + shown * (self["series_a_bucket"] + self.rules["rules_each"])

    def nodes_of_a_prometheus(self, bound=None):
        room = self["prometheus_gib"] * GIB * self.used
        return room / (self.series(bound) * self["series_kb"] * 1000)

    def nodes_of_a_prefix(self):
        load = self.load
        return min(self["s3_gets"] / load.gets, self["s3_puts"] / load.puts) / self.rate

    def document_bytes(self):
        return self["document_bytes"] + (self.rules["rules_each"] - 1) * self["rule_bytes"]


def edge_limits(node):
    """What ends as nodes are added, the first one first."""
    first = min(node.limits(), key=lambda limit: limit.rate)
    pods = node["autoscaler_pods"]
    as_shipped = figure(pods * node["cpu_request"] * node["autoscaler_target"] / 100 / node.load.cpu_s)
    bound, memory = node["bounded_buckets"], f"one Prometheus of {node['prometheus_gib']} GiB"
    shards = "Prometheus, sharded by `hashmod`; Thanos or Mimir"
    found = (
        EdgeLimit(
            f"a node as it ships: {first.name}",
            first.rate / node.rate,
            "nothing else: it is a setting, as are the next in the table",
            first.act,
            first.watch,
        ),
        EdgeLimit(
            "one node is one failure",
            1,
            "L4 load balancer, or a Kubernetes Service",
            "`/readyz` as its check, `shutdown.delay`",
            "S3corsTargetDown",
        ),
        EdgeLimit(
            f"one S3 prefix: {node['s3_gets']:,} GET/s, {node['s3_puts']:,} PUT/s",
            node.nodes_of_a_prefix(),
            "object store: more prefixes, buckets, storage nodes",
            "`upstream.url` as a list, `upstream.balance`",
            "`s3cors_upstream_response_seconds`, S3corsUpstreamSlow",
        ),
        EdgeLimit(
            f"`maxReplicas: {pods}`; as it ships, from {as_shipped} requests/s",
            pods,
            "Kubernetes: autoscalers of pods and of nodes",
            "`maxReplicas`, `resources.requests.cpu`",
            "`kube_horizontalpodautoscaler_status_condition`",
        ),
        EdgeLimit(
            "one NAT gateway to one storage address",
            node["nat_connections"] / (node.rate * node.transfers_each),
            "S3's gateway endpoint, or a storage in the same network",
            "addresses in `upstream.url`",
            "`s3cors_upstream_errors_total`, S3corsUpstreamErrors",
        ),
        EdgeLimit(
            f"{memory}, every bucket",
            node.nodes_of_a_prometheus(),
            shards,
            "`metrics.buckets`, or drop `s3cors_rule_hits_total` at the scrape",
            "`scrape_samples_scraped`",
        ),
        EdgeLimit(
            f"{memory}, {bound} buckets",
            node.nodes_of_a_prometheus(bound),
            shards,
            "`metrics.buckets`, `scrape_interval`",
            "`scrape_samples_scraped`",
        ),
        EdgeLimit(
            "targets of one load balancer in a zone",
            node["balancer_targets"],
            "several balancers: DNS, anycast, ECMP to IPVS or Maglev",
            "nothing, because nodes share no state",
            "`s3cors_connections_open` of each node",
        ),
        EdgeLimit(
            "nodes of one Kubernetes cluster",
            node["cluster_nodes"],
            "a cluster a region, by DNS or anycast",
            "the same rules in each",
            "`s3cors_config_last_reload_success_timestamp_seconds`",
        ),
    )
    return sorted(found, key=lambda limit: limit.nodes)


def figure(value):
    """With three digits, which is more than the assumptions deserve."""
    if not value:
        return "0"
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"
