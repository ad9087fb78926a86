"use strict";
// What a script sees of a response: headers, ranges, streams.

const assert = require("node:assert/strict");
const { LARGE, TEXT } = require("../objects.js");

module.exports = {
  "exposed headers are read, others are hidden": async (scene) => {
    await scene.open("app");
    const { headers } = await scene.fetch(await scene.link("web/hello.txt"));
    assert.match(headers.etag, /^"[0-9a-f]{32}"$/);
    assert.equal(headers["x-amz-meta-note"], "for the page");
    assert.equal(headers["x-amz-meta-secret"], undefined);
    assert.equal(headers.date, undefined);
  },

  "a range that needs no preflight": async (scene) => {
    await scene.open("app");
    const { status, body, headers } = await scene.fetch(await scene.link("web/hello.txt"), { headers: { range: "bytes=6-9" } });
    assert.deepEqual([status, body, headers["content-range"]], [206, "from", `bytes 6-9/${TEXT.length}`]);
  },

  "a range that needs one": async (scene) => {
    await scene.open("app");
    const { status, body } = await scene.fetch(await scene.link("web/hello.txt"), { headers: { range: "bytes=-7" } });
    assert.deepEqual([status, body], [206, "s3cors."]);
  },

  "a large response is read while it arrives": async (scene) => {
    await scene.open("app");
    const url = await scene.link("web/large.bin");
    const first = await scene.page.evaluate(async (url) => {
      globalThis.reader = (await fetch(url)).body.getReader();
      return (await reader.read()).value.length;
    }, url);
    assert.ok(first > 0 && first < LARGE.length, `${first} bytes`);
    // The page stops reading, so the response cannot have ended.
    assert.equal(await scene.metric("s3cors_http_requests_in_flight"), 1);
    const rest = await scene.page.evaluate(async () => {
      let length = 0;
      for (let read = await reader.read(); !read.done; read = await reader.read()) length += read.value.length;
      return length;
    });
    assert.equal(first + rest, LARGE.length);
  },
};
