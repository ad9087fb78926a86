"""The reports, each with what its reporter had and the setting of s3cors that opens it. Facts only; the files of a run are written anew.

`opened` is the name that the client asks for, with the prefix of the path if there is one. `signed` is the name that the signature covers; if
it is missing, it is `opened`. A client that signs more than the SDK for Python does names it in `covers`.
"""

import dataclasses

from replays import fronts
from replays.fronts import Front

GET, PUT, HEAD = "GET by a link", "PUT by a link", "HEAD by a link"
RANGE, PART = "a range by a link", "a part by a link"
HEAD_BY_GET = "HEAD by a link for GET"
READ, WRITE, LOOK, SLICE = "GetObject", "PutObject", "HeadObject", "GetObject, a range"
LIST, PARTS = "ListObjectsV2", "a multipart upload"
CHUNKS, TRAILER = "PutObject in signed chunks", "PutObject with a trailer"


# One is what it is, not what it contains: it is a key.
@dataclasses.dataclass(frozen=True, eq=False)
class Replay:
    source: str
    # The program that signs, as the report names it.
    signer: str
    front: Front
    opened: str
    asks: tuple
    setting: dict
    signed: str = ""
    # Signed headers with their values, by name, and parameters of a link.
    covers: tuple = ()
    parameters: tuple = ()
    key: str = "reports/2026 plan.txt"
    # What stands between s3cors and the storage.
    behind: Front | None = None
    # The names that other clients of the same listener sign, if there are any.
    others: tuple = ()
    # A default port is signed, which the SDK for Python leaves out.
    signs_port: bool = False

    @property
    def host(self):
        """The name without the prefix."""
        return self.opened.partition("/")[0]

    @property
    def prefix(self):
        return self.opened.removeprefix(self.host)

    @property
    def name(self):
        return self.signed or self.host

    @property
    def is_tried(self):
        """Whether s3cors learns from the server in which form a request was signed."""
        hosts = [
            *self.setting.get("hosts", {}).values(),
            {"upstream_host": self.setting.get("upstream", {}).get("host")},
        ]
        return "signatures" in self.setting or any(isinstance(host["upstream_host"], list) for host in hosts)


def _hosts(name, *signed):
    """A name, and what its clients sign."""
    return {"hosts": {name: {"upstream_host": signed[0] if len(signed) == 1 else list(signed)}}}


def _all(*signed):
    """For every name."""
    return {"upstream": {"host": signed[0] if len(signed) == 1 else list(signed)}}


HEAL = {"signatures": {"heal": "on"}}
GO_SDK = (
    ("accept-encoding", "identity"),
    ("amz-sdk-invocation-id", "0a1b2c3d-0000-4000-8000-000000000001"),
    ("amz-sdk-request", "attempt=1; max=3"),
)
SVC = "rook-ceph-rgw-ceph-objectstore.rook-ceph.svc.cluster.local"

# One report a line or two.
# fmt: off

# Signed for a name that only the other containers know.
INNER = (
    Replay("minio/minio#20964", "MinIO's SDK for Python", fronts.nginx_keeps("/replayed"),
        "localhost:7000", (GET, RANGE), _hosts("localhost", "minio:9000"), "minio:9000"),
    Replay("minio/minio#11870", "MinIO's SDK for Go", fronts.NGINX_HTTP_HOST,
        "localhost:9000", (GET, PUT), _hosts("localhost", "minio:9000"), "minio:9000"),
    Replay("minio/minio#10222", "an application beside MinIO", fronts.NOTHING,
        "localhost:9000", (GET, HEAD), _hosts("localhost", "minio:9000"), "minio:9000"),
    Replay("minio/minio#15876", "MinIO's console", fronts.NGINX_HTTP_HOST,
        "localhost:9000", (GET,), _hosts("localhost", "192.168.176.2:9000"), "192.168.176.2:9000"),
    Replay("minio/minio#9964", "MinIO's SDK for Java", fronts.nginx_keeps("/replayed"),
        "example.com", (GET, RANGE), _hosts("example.com", "10.0.0.5:9000"), "10.0.0.5:9000"),
    Replay("minio/minio#8007", "MinIO's SDK for JavaScript", fronts.TRAEFIK,
        "example.com", (GET,), _hosts("example.com", "minio.test.svc:9000"), "minio.test.svc:9000"),
    Replay("minio/minio#20594", "an application behind Traefik", fronts.TRAEFIK,
        "minio.example.com", (GET,), _hosts("minio.example.com", "appminio:9000"), "appminio:9000"),
    Replay("minio/minio#16214", "MinIO's console", fronts.ingress_vhost("minio:9000"),
        "1edb2ca4.example.com", (GET,), _hosts("minio", "10.96.0.10:9000"), "10.96.0.10:9000"),
    Replay("minio/minio-js#514", "MinIO's SDK for JavaScript", fronts.NGINX_HTTP_HOST,
        "192.0.2.10", (GET,), _hosts("192.0.2.10", "minio:9000"), "minio:9000"),
    Replay("minio/minio-js#833", "MinIO's SDK for JavaScript", fronts.NOTHING,
        "files.example.com", (GET, PUT), _hosts("files.example.com", "minio:9000"), "minio:9000"),
    Replay("minio/minio-go#1046", "MinIO's SDK for Go", fronts.NOTHING,
        "s3.example.com", (GET, PUT), _hosts("s3.example.com", "dockerhost:19001"), "dockerhost:19001"),
    Replay("minio/minio-dotnet#414", "MinIO's SDK for .NET", fronts.TRAEFIK,
        "files.example.com", (GET,), _hosts("files.example.com", "minio:9000"), "minio:9000"),
    Replay("langfuse/langfuse#4717", "AWS SDK for JavaScript", fronts.NOTHING,
        "localhost:9090", (GET,), _hosts("localhost", "minio:9000"), "minio:9000"),
    Replay("langfuse/langfuse#6066", "AWS SDK for JavaScript", fronts.NOTHING,
        "localhost:9090", (PUT,), _hosts("localhost", "minio:9000"), "minio:9000", covers=(("content-type", "image/png"),)),
    Replay("appstrate/appstrate#107", "an SDK", fronts.CADDY,
        "uploads.example.com", (PUT,), _hosts("uploads.example.com", "minio:9000"), "minio:9000"),
    Replay("Mic92/niks3#473", "an SDK for Go", fronts.INGRESS_HOST,
        "cache.example.com", (PUT, PART), _hosts("cache.example.com", "minio.minio.svc:9000"), "minio.minio.svc:9000"),
    Replay("singularityhub/sregistry#298", "boto3", fronts.NOTHING,
        "127.0.0.1:9000", (PART,), _hosts("127.0.0.1", "minio:9000"), "minio:9000"),
    Replay("ashwathstephen/sairo#26", "boto3", fronts.HAPROXY, "s3.devops.example", (GET, PUT), _hosts("s3.devops.example", SVC), SVC),
    Replay("Silo-Server/silo-server#875", "AWS SDK for Go", fronts.CADDY,
        "media.example.com", (GET,), _hosts("media.example.com", "storage-container:9000"), "storage-container:9000"),
    Replay("gaul/s3proxy#315", "an application beside S3Proxy", fronts.NOTHING,
        "mydomain.example", (GET,), _hosts("mydomain.example", "127.0.0.1"), "127.0.0.1"),
    Replay("thesubtleties/atria#208", "an SDK for Python", fronts.TRAEFIK,
        "storage.example.dev", (GET, HEAD), _hosts("storage.example.dev", "minio-api.infrastructure.svc.cluster.local:9000"), "minio-api.infrastructure.svc.cluster.local:9000"),
)

# A proxy that sends another Host, or loses its port, or adds one.
REPLACED = (
    Replay("minio/minio#5298", "MinIO's console", fronts.nginx_default("minio"),
        "minio.my.domain.com", (GET,), _hosts("minio", "minio.my.domain.com")),
    Replay("minio/minio#5222", "an SDK", fronts.nginx_sends("minio.example.com:443", "nginx, `Host $server_name:$server_port`"),
        "minio.example.com", (READ, WRITE), _hosts("minio.example.com", "minio.example.com")),
    Replay("usnistgov/dioptra#347", "boto3", fronts.nginx_default("minio"),
        "localhost:35000", (READ, WRITE, LIST, PARTS), _hosts("minio", "localhost:35000")),
    Replay("seaweedfs/seaweedfs#10282", "AWS SDK for Java", fronts.nginx_default("seaweedfs:10300"),
        "nginx-proxy:10300", (LIST, READ, CHUNKS), _hosts("seaweedfs", "nginx-proxy:10300")),
    Replay("seaweedfs/seaweedfs#6511", "aiobotocore", fronts.NGINX_HOST,
        "localhost:8000", (WRITE, READ, TRAILER), _hosts("localhost", "localhost:8000")),
    Replay("seaweedfs/seaweedfs#8444", "an SDK", fronts.haproxy_sends("seaweedfs:8333", "Kong or Traefik, with the service's name as Host, played by HAProxy"),
        "localhost:9000", (READ, WRITE, LOOK), _hosts("seaweedfs", "localhost:9000")),
    Replay("TaitoUnited/full-stack-template#205", "AWS SDK for JavaScript", fronts.NGINX_HOST,
        "localhost:4635", (PUT,), _hosts("localhost", "localhost:4635")),
    Replay("justsml/ssl-proxy#19", "an SDK", fronts.NGINX_HOST,
        "minio.example.com:8443", (READ, WRITE, SLICE), _hosts("minio.example.com", "minio.example.com:8443")),
    Replay("minio/minio-dotnet#321", "MinIO's SDK for .NET", fronts.INGRESS_HOST,
        "minio.example.com", (READ, WRITE), _hosts("minio.example.com", "minio.example.com:80"), "minio.example.com:80", signs_port=True),
    Replay("scality/Zenko#14", "AWS CLI", fronts.NGINX_HOST,
        "localhost", (WRITE, LIST), _hosts("localhost", "localhost:80"), "localhost:80", signs_port=True),
    Replay("aws/aws-sdk-js-v3#2726", "AWS SDK for JavaScript", fronts.NOTHING,
        "storage.example:9000", (GET,), _hosts("storage.example", "storage.example"), "storage.example"),
    Replay("serverpod/serverpod#5704", "Serverpod", fronts.NOTHING,
        "localhost:9095", (PUT,), _hosts("localhost", "localhost"), "localhost"),
    Replay("aws/aws-sdk-ruby#1401", "AWS SDK for Ruby", fronts.NOTHING,
        "files.mydomain.example:80", (GET, RANGE), _hosts("files.mydomain.example", "files.mydomain.example"), "files.mydomain.example"),
    Replay("velero-io/velero-plugin-for-aws#327", "AWS SDK for Go", fronts.NOTHING,
        "s3.example.com:443", (GET,), _hosts("s3.example.com", "s3.example.com"), "s3.example.com"),
)

# Storage at a path of another site. The client signs for the inner URL.
BELOW = (
    Replay("minio/minio#5947", "an application", fronts.nginx_rewrites("/v2", "$host"),
        "cdn.example.com/v2", (GET,), _hosts("cdn.example.com", "localhost:9000"), "localhost:9000", key="invoices/7.pdf"),
    Replay("minio/minio#6546", "MinIO's SDK for JavaScript", fronts.nginx_rewrites("/dash/store", "$http_host"),
        "10.240.193.107/dash/store", (GET,), _hosts("10.240.193.107", "minio:9000"), "minio:9000", parameters=(("ResponseContentDisposition", "attachment; filename=1.jpg"),), key="1.jpg"),
    Replay("minio/minio#6853", "an application", fronts.ingress_strips("/minio"),
        "example.com/minio", (GET, RANGE), _hosts("example.com", "minio:9000"), "minio:9000", key="201811211513503.mp4"),
    Replay("minio/minio#15173", "MinIO's SDK for Java", fronts.nginx_keeps("/dev"),
        "192.168.253.111/dev", (GET, PUT), _hosts("192.168.253.111/dev", "192.168.253.111:9000"), "192.168.253.111:9000"),
    Replay("minio/minio-js#1232", "MinIO's SDK for JavaScript", fronts.nginx_strips("/bucket"),
        "acme.example/bucket", (GET,), _hosts("acme.example", "minio.acme.internal:9000"), "minio.acme.internal:9000", key="test.pdf"),
    Replay("minio/minio-js#737", "MinIO's SDK for JavaScript", fronts.NGINX_HTTP_HOST,
        "domain.example/minio", (GET, PUT), _hosts("domain.example/minio", "minio:9000"), "minio:9000"),
    Replay("minio/minio-go#1799", "MinIO's SDK for Go", fronts.nginx_keeps("/files"),
        "corp.example/files", (GET, PUT, PART), _hosts("corp.example/files", "172.16.0.4:9000"), "172.16.0.4:9000"),
    Replay("IBM/ibm-cos-sdk-js#59", "an application", fronts.envoy_strips("/api/minio"),
        "ocicp8.example.com/api/minio", (GET,), _hosts("ocicp8.example.com", "minio-svc:9000"), "minio-svc:9000", key="1.png"),
    Replay("Mininglamp-OSS/octo-server#50", "MinIO's SDK for Go", fronts.nginx_strips("/minio", "$host"),
        "chat.example.com/minio", (PUT, GET), _hosts("chat.example.com", "minio:9000"), "minio:9000", key="chat/7.png"),
    Replay("QuackbackIO/quackback#137", "an SDK", fronts.NGINX_HTTP_HOST,
        "feedback.example.com/storage", (PUT, GET), _hosts("feedback.example.com/storage", "minio:9000"), "minio:9000"),
    Replay("rustfs/rustfs#1744", "an AWS SDK", fronts.apache_keeps("/fs"),
        "institute.example/fs", (PART, GET), _hosts("institute.example/fs", "rustfs:9000"), "rustfs:9000"),
    Replay("seaweedfs/seaweedfs#8598", "AWS SDK for JavaScript", fronts.NGINX_HTTP_HOST,
        "my.domain.com/s3", (PUT, GET), _hosts("my.domain.com/s3", "localhost:8333"), "localhost:8333", key="報告/二月 (1).txt"),
)

# Several kinds of URL at one listener: what the application asks itself, and what it gives away.
BOTH = (
    Replay("Bike4Mind/bike4mind#693", "an SDK", fronts.NOTHING, "localhost:9000", (PUT, CHUNKS), _hosts("localhost", "preserve", "minio:9000"), "minio:9000"),
    Replay("langfuse/langfuse#14299", "AWS SDK for JavaScript", fronts.NGINX_HTTP_HOST,
        "media.example.com", (GET, PUT), _hosts("media.example.com", "preserve", "minio.langfuse.svc.cluster.local:9000"), "minio.langfuse.svc.cluster.local:9000", others=("media.example.com",)),
    Replay("CapSoftware/Cap#685", "an SDK", fronts.CADDY,
        "s3.cap.example", (READ, WRITE), _hosts("s3.cap.example", "preserve", "minio.railway.internal:9000"), others=("minio.railway.internal:9000",)),
    Replay("minio/minio-js#791", "MinIO's SDK for JavaScript", fronts.TRAEFIK,
        "minio.customer.example", (GET, HEAD), _hosts("minio.customer.example", "preserve", "minio1"), "minio1", others=("minio.customer.example",)),
    Replay("minio/minio-py#759", "MinIO's SDK for Python", fronts.NGINX_HTTP_HOST,
        "files.example.org", (GET, RANGE), _all("preserve", "minio:9000"), "minio:9000", others=("files.example.org",)),
)

# A signed header that was rewritten, a method, an origin.
REWRITTEN = (
    Replay("hashicorp/terraform#36412", "AWS SDK for Go", fronts.cloudflare(),
        "s3.example.com", (LIST, READ, WRITE), HEAL, covers=GO_SDK),
    Replay("supabase/storage#729", "AWS SDK for Go", fronts.cloudflare("gzip, br"),
        "project.example.co", (READ, LOOK, SLICE), HEAL, covers=GO_SDK),
    Replay("minio/minio#15506", "MinIO's SDK for Java", fronts.cloudflare(),
        "minio.example.icu", (WRITE, READ), HEAL, covers=(("accept-encoding", "identity"),)),
    Replay("rustfs/rustfs#5840", "AWS SDK for JavaScript", fronts.CADDY,
        "rustfs.example.com", (HEAD_BY_GET, GET), {"presigned": {"head": "by_get"}}),
    Replay("ceph/ceph#70697", "an SDK in a page", fronts.NOTHING,
        "rgw.example.com", (GET, READ), {"upstream": {"origin": "drop"}}, behind=fronts.REFUSES_ORIGIN),
)

# fmt: on
REPLAYS = (*INNER, *REPLACED, *BELOW, *BOTH, *REWRITTEN)

# fmt: off

# What no proxy can put back without the client's key: it passes neither before nor after, and the log names the cause.
NAMED = (
    Replay("aws/aws-sdk-js#4472", "AWS SDK for JavaScript", fronts.changes("a proxy with tracing", "traceparent", "00-11111111111111111111111111111111-2222222222222222-01"),
        "s3.example.com", (READ,), HEAL, covers=(("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)),
    Replay("minio/minio-java#1494", "MinIO's SDK for Java", fronts.changes("Istio", "X-B3-SpanId", "2222222222222222"),
        "minio.example.com", (READ,), HEAL, covers=(("x-b3-spanid", "b7ad6b7169203331"),)),
    Replay("aws/aws-sdk-go-v2#2722", "AWS SDK for Go", fronts.haproxy_removes("Range"),
        "s3.example.com", (SLICE,), HEAL, covers=(("range", "bytes=0-5"),)),
    Replay("iterate-ch/cyberduck#15983", "Cyberduck", fronts.haproxy_removes("Cookie"),
        "s3.example.com", (READ,), HEAL, covers=(("cookie", "SERVER=one"),)),
    Replay("scality/cloudserver#838", "AWS CLI", fronts.nginx_strips("/s3"),
        "10.16.145.187/s3", (READ,), _hosts("10.16.145.187", "10.16.145.187"), signed="10.16.145.187/s3"),
    Replay("seaweedfs/seaweedfs#6086", "s3cmd", fronts.caddy_strips("/s3"),
        "your.server/s3", (READ,), _hosts("your.server", "your.server"), signed="your.server/s3"),
)
# fmt: on
