"use strict";
// An error is not a "CORS error": the page reads its status and its document, from the server or from s3cors.

const assert = require("node:assert/strict");

/// The page reads this status and this code, and a forbidden origin reads nothing.
async function readsError(scene, url, status, code) {
  await scene.open("app");
  const answer = await scene.fetch(url);
  assert.deepEqual([answer.status, /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1]], [status, code]);
  await scene.open("evil");
  await scene.refuses(url);
}

/// An upload, preflight first, fails in a way that the page can read.
async function uploadFails(scene, at, status, code) {
  await scene.open("app");
  const url = await scene.link("web/hello.txt", { method: "PUT", at });
  const answer = await scene.fetch(url, { method: "PUT", body: "x", headers: { "content-type": "text/x-page" } });
  assert.deepEqual([answer.status, /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1]], [status, code]);
}

module.exports = {
  "404 of the server": async (scene) => readsError(scene, await scene.link("web/missing.txt"), 404, "NoSuchKey"),

  "403 of the server": async (scene) => {
    const url = (await scene.link("web/hello.txt")).replace(/(X-Amz-Signature=)\w{8}/, "$100000000");
    // Garage says so of a wrong signature.
    await readsError(scene, url, 403, scene.task.server.name === "garage" ? "AccessDenied" : "SignatureDoesNotMatch");
  },

  "502 of s3cors when the server is down": async (scene) => {
    await readsError(scene, await scene.link("web/hello.txt", { at: scene.task.down }), 502, "BadGateway");
  },

  "the preflight is answered when the server is down": async (scene) => {
    await uploadFails(scene, scene.task.down, 502, "BadGateway");
  },

  "503 of s3cors when the server's name is unknown": async (scene) => {
    await readsError(scene, await scene.link("web/hello.txt", { at: scene.task.unknown }), 503, "ServiceUnavailable");
    await uploadFails(scene, scene.task.unknown, 503, "ServiceUnavailable");
  },
};
