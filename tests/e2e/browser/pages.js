"use strict";
// The pages' own server. Chromium resolves every name below localhost to this machine, so one port serves any number of origins,
// all of them secure contexts.

const http = require("node:http");
const path = require("node:path");

const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/// Serves these bodies by path, and an empty page by any other; at `/isolated` one that embeds only what agrees to it, at `/sandboxed`
/// one whose origin is `null`.
async function servePages(port, bodies = {}) {
  const server = http.createServer((request, response) => {
    const body = bodies[request.url];
    const type = TYPES[path.extname(request.url)] ?? "application/octet-stream";
    if (request.url === "/isolated") response.setHeader("cross-origin-embedder-policy", "require-corp");
    if (request.url === "/sandboxed") response.setHeader("content-security-policy", "sandbox allow-scripts");
    response.writeHead(200, { "content-type": body === undefined ? "text/html" : type });
    response.end(body === undefined ? "<!doctype html><title>a page</title><body>" : body);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return server;
}

/// The origin of an application with this name.
function originOf(name, port) {
  return `http://${name}.localhost:${port}`;
}

module.exports = { servePages, originOf };
