"use strict";
// A tap on the wire between the browser and s3cors: passes every byte on, and notes the head of each request and of its response.
// A browser sends no request on an HTTP/1.1 connection before the response to the one before is complete, and states the length of
// each body; so a head begins where the body before it ends.

const net = require("node:net");

const END = "\r\n\r\n";

function parse(head) {
  const [first, ...fields] = head.split("\r\n");
  const headers = {};
  for (const field of fields) {
    const colon = field.indexOf(":");
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  return { first, headers };
}

/// Reads heads off one direction of a connection; `take` gets each and returns how many bytes of body follow (Infinity: until `restart`).
class Heads {
  constructor(take) {
    this.take = take;
    this.restart();
  }

  restart() {
    this.head = "";
    this.body = 0;
  }

  push(bytes) {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.body > 0) {
        const skipped = Math.min(this.body, rest.length);
        this.body -= skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      const before = this.head.length;
      this.head += rest.toString("latin1");
      const end = this.head.indexOf(END);
      if (end < 0) return;
      const head = this.head.slice(0, end);
      rest = rest.subarray(end + END.length - before);
      this.head = "";
      this.body = this.take(parse(head));
    }
  }
}

class Tap {
  constructor(port) {
    this.port = port;
    this.exchanges = [];
    this.connections = new Set();
    this.server = net.createServer((browser) => this.connect(browser));
  }

  async listen() {
    await new Promise((resolve, reject) => this.server.once("error", reject).listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  connect(browser) {
    const proxy = net.connect(this.port, "127.0.0.1");
    let current;
    const responses = new Heads(({ first, headers }) => {
      const status = Number(first.split(" ")[1]);
      // An interim response has no body and is not the response (RFC 9110 section 15.2).
      if (status < 200) return 0;
      Object.assign(current, { status, response: headers });
      return Infinity;
    });
    const requests = new Heads(({ first, headers }) => {
      const [method, target] = first.split(" ");
      current = { method, target, headers, bytes: 0 };
      this.exchanges.push(current);
      responses.restart();
      return Number(headers["content-length"] ?? 0);
    });
    browser.on("data", (bytes) => requests.push(bytes));
    proxy.on("data", (bytes) => {
      if (!current) return;
      current.bytes += bytes.length;
      responses.push(bytes);
    });
    browser.pipe(proxy).pipe(browser);
    for (const [end, other] of [[browser, proxy], [proxy, browser]]) {
      this.connections.add(end);
      end.on("error", () => other.destroy()).on("close", () => this.connections.delete(end));
    }
  }

  /// The exchanges since the last call.
  take() {
    return this.exchanges.splice(0);
  }

  close() {
    this.server.close();
    for (const connection of this.connections) connection.destroy();
  }
}

module.exports = { Tap };
