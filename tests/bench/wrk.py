"""The load generator for HTTP/1.1 without TLS."""

from processes import Failed

# What wrk runs: the request is prepared once, and the result is one line of numbers.
SCRIPT = """wrk.method = "{method}"
{headers}
wrk.body = {sent} > 0 and string.rep("x", {sent}) or nil
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("result %d %d %d %d %d %d\\n", summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def command(test, ports, seconds, folder):
    script = folder / f"{test.name}.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in test.headers.items())
    script.write_text(SCRIPT.format(method=test.method, headers=headers, sent=test.sent))
    options = ["--threads", 1, "--connections", test.connections, "--duration", f"{seconds}s", "--timeout", "20s"]
    return ["wrk", *options, "--script", script, test.url(ports)]


def counted(_, output, __):
    """Requests, rate and latency."""
    lines = [line.split()[1:] for line in output.splitlines() if line.startswith("result ")]
    if len(lines) != 1:
        raise Failed(f"wrk: {output[-1000:]}")
    requests, received, duration, p50, p99, errors = map(int, lines[0])
    return {
        "requests": requests,
        # Of responses that had not ended when the time was up, too.
        "bytes": received,
        "errors": errors,
        "rate": requests * 1e6 / duration,
        "p50_us": p50,
        "p99_us": p99,
    }
