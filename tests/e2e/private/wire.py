"""An attacker's requests, byte for byte, over HTTP/1.1 and over HTTP/2 without TLS."""

import contextlib
import socket
import struct

# A response is complete when nothing follows for this time.
QUIET = 5
LARGEST = 1 << 20

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x7
END_STREAM, END_HEADERS = 0x1, 0x4
# `:status` in the static table (RFC 7541, appendix A), and digits in Huffman's code (appendix B).
STATUSES = {8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404", 14: "500"}
DIGITS = {f"{code:05b}": f"{code}" for code in range(3)} | {f"{code:06b}": f"{code - 22}" for code in range(25, 32)}


def _connect(address):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), QUIET)


def http1(address, content):
    """Everything that comes back for these bytes until the connection ends or is quiet."""
    received = b""
    # A connection that is closed is a refusal.
    with contextlib.suppress(OSError), _connect(address) as connection:
        connection.sendall(content)
        while len(received) < LARGEST and (part := connection.recv(65536)):
            received += part
    return received


def _field(name, value):
    """A header field without an index and without Huffman's code (RFC 7541, section 6.2.2)."""
    return b"\x00" + b"".join(_length(len(part)) + part for part in (name, value))


def _length(number):
    """An integer with a prefix of seven bits (RFC 7541, section 5.1)."""
    if number < 127:
        return bytes([number])
    encoded, number = [127], number - 127
    while number >= 128:
        encoded.append(number % 128 + 128)
        number //= 128
    return bytes([*encoded, number])


def _frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _frames(connection):
    """The frames that arrive, until the connection ends."""
    received = b""
    while True:
        while len(received) >= 9 and len(received) >= 9 + (length := int.from_bytes(received[:3])):
            kind, flags, stream = received[3], received[4], int.from_bytes(received[5:9])
            yield kind, flags, stream, received[9 : 9 + length]
            received = received[9 + length :]
        if not (part := connection.recv(65536)):
            return
        received += part


def _status(block):
    """The first field of a response, as the first line of one over HTTP/1.1."""
    # A change of the table's size comes before it.
    while block[:1] and block[0] & 0xE0 == 0x20:
        block = block[1:]
    if block[0] & 0x80:
        return f"HTTP/2 {STATUSES.get(block[0] & 0x7F, 'unknown')}"
    text = block[2 : 2 + (block[1] & 0x7F)]
    if block[1] & 0x80:
        bits, digits = "".join(f"{byte:08b}" for byte in text), ""
        while len(digits) < 3:
            length = 5 if bits[:5] in DIGITS else 6
            digits, bits = digits + DIGITS[bits[:length]], bits[length:]
        return f"HTTP/2 {digits}"
    return f"HTTP/2 {text.decode()}"


def http2(address, fields):
    """The status line and the body of the response to one request with these fields."""
    block = b"".join(_field(name, value) for name, value in fields)
    request = _frame(SETTINGS, 0, 0, b"") + _frame(HEADERS, END_STREAM | END_HEADERS, 1, block)
    head, body = "", b""
    with contextlib.suppress(OSError), _connect(address) as connection:
        connection.sendall(PREFACE + request)
        for kind, flags, stream, payload in _frames(connection):
            if kind == SETTINGS and not flags:
                connection.sendall(_frame(SETTINGS, 1, 0, b""))
            if stream == 1 and kind == HEADERS:
                head = head or _status(payload)
            if stream == 1 and kind == DATA:
                body += payload
            if kind == GOAWAY or (stream == 1 and (kind == RESET or flags & END_STREAM)):
                break
    return head.encode(), body
