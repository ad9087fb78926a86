"use strict";
// Random rules and requests, the same ones for the same seed.

const METHODS = ["GET", "PUT", "HEAD", "POST", "DELETE"];
// What a script may say. Most say something usual; what is rare must be among a thousand, too.
const SAID = [...METHODS, ...METHODS, ...METHODS, "GET", "PUT", "get", "put", "Delete", "patch", "PATCH", "OPTIONS", "PURGE", "trace"];
const WITHOUT_CORS = ["GET", "GET", "GET", "HEAD", "POST", "post", "PUT"];
const ALLOWED = [
  "*", "*", "x-amz-*", "content-type", "Content-Type", "authorization", "Range", "accept", "x-amz-meta-a", "cache-control", "*-type",
];
const EXPOSED = [
  "ETag", "etag", "x-amz-meta-note", "x-amz-version-id", "Content-Range", "Accept-Ranges", "Date", "Vary", "Set-Cookie", "x-absent",
];
const LONG = "a".repeat(128);
// Values on both sides of each border of the standard.
const HEADERS = {
  accept: ["*/*", "text/plain;q=0.5", "a(b", "a:b", "a\tb", LONG, `${LONG}a`],
  "accept-language": ["en-GB,en;q=0.5", "en_GB"],
  "content-language": ["de", "de/at"],
  "content-type": [
    "text/plain", "text/plain;charset=utf-8", "TEXT/Plain", "application/json", "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded", 'text/plain; a="b"', "text", "text/plain ; a", "application/octet-stream",
  ],
  range: ["bytes=0-5", "bytes=5-", "bytes=-5", "bytes=6-5", "bytes=0-1,3-4", "bytes= 0-5", "lines=0-1"],
  authorization: ["AWS4-HMAC-SHA256 x"],
  "x-amz-meta-a": ["1"],
  "x-amz-date": ["20260101T000000Z"],
  "x-amz-content-sha256": ["UNSIGNED-PAYLOAD"],
  "cache-control": ["no-cache"],
  pragma: ["no-cache"],
  "if-none-match": ['"x"'],
  "if-match": ['"x"'],
  // What scripts may not set.
  cookie: ["a=b"],
  date: ["Thu, 01 Jan 1970 00:00:00 GMT"],
  dnt: ["1"],
  "sec-test": ["1"],
  "proxy-test": ["1"],
  "x-http-method-override": ["PUT", "TRACE", "get, track"],
  "x-method-override": ["connect", "get"],
  via: ["a"],
  referer: ["http://a"],
  expect: ["100-continue"],
  "access-control-request-method": ["PUT"],
  // What only Chromium sends without asking, with values for which it asks.
  "save-data": ["on", "off"],
  dpr: ["1.5", "x"],
  ect: ["4g", "5g"],
  rtt: ["100", "1.5"],
  "user-agent": ["a page"],
  // What goes with a body, and what other clients send.
  "content-encoding": ["gzip"],
  "content-location": ["/"],
  "if-modified-since": ["Thu, 01 Jan 1970 00:00:00 GMT"],
  "x-requested-with": ["XMLHttpRequest"],
  priority: ["u=1"],
};
const STATUSES = [200, 200, 200, 204, 206, 400, 403, 404, 412, 500, 503];
const REDIRECTS = [301, 302, 303, 307, 307, 308];

/// Numbers from a seed (mulberry32).
class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  below(limit) {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /// True once in so many times.
  once(times) {
    return this.below(times) === 0;
  }

  one(list) {
    return list[this.below(list.length)];
  }

  some(list, most) {
    return Array.from({ length: this.below(most + 1) }, () => this.one(list));
  }

  several(list, most) {
    return [this.one(list), ...this.some(list, most - 1)];
  }
}

/// A rule whose origins are those of pages or patterns for them.
function rule(random, origins) {
  const made = {
    AllowedOrigins: random.once(4) ? ["*"] : random.several(origins, 3),
    AllowedMethods: random.once(2) ? METHODS : [...new Set(random.several(METHODS, 5))],
  };
  if (!random.once(4)) made.AllowedHeaders = random.once(2) ? ["*"] : random.some(ALLOWED, 4);
  if (!random.once(3)) made.ExposeHeaders = random.some(EXPOSED, 5);
  if (random.once(3)) made.MaxAgeSeconds = random.below(1000);
  return made;
}

/// The rules of a bucket, as the document's text.
function rules(random, origins) {
  return JSON.stringify({ CORSRules: Array.from({ length: 1 + random.below(4) }, () => rule(random, origins)) });
}

/// A request: which page makes it, what it says, and what the server does with it.
function request(random, pages, hosts, buckets) {
  const target = () => ({ host: random.one(hosts), bucket: random.one(buckets) });
  const mode = random.once(10) ? "no-cors" : "cors";
  const page = random.one(pages);
  const method = random.one(mode === "cors" ? SAID : WITHOUT_CORS);
  const names = [...new Set(random.once(3) ? [] : random.some(Object.keys(HEADERS), 3))];
  return {
    page,
    mode,
    // From the page of the same origin these reach no upstream that could redirect: s3cors responds to OPTIONS, and Node.js knows no
    // patch in lower case.
    method: page === "own" && ["OPTIONS", "patch"].includes(method) ? "delete" : method,
    credentials: random.one(["omit", "same-origin", "include"]),
    headers: names.map((name) => [name, random.one(HEADERS[name])]),
    targets: [target(), ...(random.once(3) ? Array.from({ length: 1 + random.below(2) }, target) : [])],
    redirect: random.one(REDIRECTS),
    status: random.one(STATUSES),
  };
}

module.exports = { Random, request, rules };
