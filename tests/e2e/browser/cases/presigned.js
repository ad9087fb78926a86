"use strict";
// A link for GET in the hands of a page that asks HEAD first and then reads ranges, as viewers and players do.

const assert = require("node:assert/strict");
const { TEXT } = require("../objects.js");

/// Reads an object as pdf.js reads a document: how long it is, its end, then the rest.
function readInRanges(page, url) {
  return page.evaluate(async (url) => {
    const head = await fetch(url, { method: "HEAD" });
    if (!head.ok) return { status: head.status };
    const length = Number(head.headers.get("content-length"));
    const range = async (first, last) => (await fetch(url, { headers: { range: `bytes=${first}-${last}` } })).text();
    const end = await range(length - 7, length - 1);
    return { status: head.status, length, etag: head.headers.get("etag"), text: (await range(0, length - 8)) + end };
  }, url);
}

module.exports = {
  "HEAD on a link for GET is rejected, and the page can read that": async (scene) => {
    const page = await scene.open("app");
    assert.deepEqual(await readInRanges(page, await scene.link("web/hello.txt")), { status: 403 });
  },

  "asked by GET, HEAD on the same link says how long the object is": async (scene) => {
    const page = await scene.open("app");
    const url = await scene.link("web/hello.txt", { at: scene.task.by_get });
    const { etag, ...read } = await readInRanges(page, url);
    assert.deepEqual(read, { status: 200, length: TEXT.length, text: TEXT });
    assert.match(etag, /^"[0-9a-f]{32}"$/);
  },
};
