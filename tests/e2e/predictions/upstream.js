"use strict";
// The server that s3cors stands in front of: it does what each request is planned to meet, and remembers what arrived.

const http = require("node:http");

const BODY = "a body";
const HEADERS = {
  etag: '"d41d8cd98f00b204e9800998ecf8427e"',
  "x-amz-meta-note": "a note",
  "x-amz-version-id": "1",
  "content-type": "text/plain",
  "content-language": "en",
  "cache-control": "no-store",
  expires: "Thu, 01 Jan 1970 00:00:00 GMT",
  "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT",
  "accept-ranges": "bytes",
  "set-cookie": "a=b",
  // Those of a server that has CORS of its own: s3cors removes them.
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "*",
};
/// The headers that a response of its own has once s3cors has passed it on.
const KNOWN = [...Object.keys(HEADERS).filter((name) => !name.startsWith("access-control-")), "content-length", "content-range", "date"];

/// Where the request of a case goes at first, and after each redirect.
function urlOf({ targets }, id, step) {
  return `${targets[step].host}/${targets[step].bucket}/${id}/${step}`;
}

function headersOf(status) {
  const headers = { ...HEADERS };
  if (status !== 204) headers["content-length"] = BODY.length;
  if (status === 206) headers["content-range"] = `bytes 0-${BODY.length - 1}/${BODY.length}`;
  return headers;
}

/// Listens on this port. `arrived` has the methods of the requests that came, by case.
async function listen(port, cases) {
  const arrived = cases.map(() => []);
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    const [, id, step] = request.url.split("/").slice(1).map(Number);
    const planned = cases[id];
    if (planned === undefined) {
      // A page of the same origin as the buckets.
      return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>a page</title><body>");
    }
    arrived[id].push(request.method);
    if (step + 1 < planned.targets.length) {
      return response.writeHead(planned.redirect, { location: urlOf(planned, id, step + 1), "cache-control": "no-store" }).end();
    }
    response.writeHead(planned.status, headersOf(planned.status));
    response.end(planned.status === 204 ? undefined : BODY);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return { server, arrived };
}

module.exports = { KNOWN, headersOf, listen, urlOf };
