"use strict";
// Requests with the user's credentials: for named origins, never with the wildcard.

const assert = require("node:assert/strict");

const WITH_CREDENTIALS = { credentials: "include" };

module.exports = {
  "a named origin may send credentials": async (scene) => {
    await scene.open("app");
    assert.equal((await scene.fetch(await scene.link("web/hello.txt"), WITH_CREDENTIALS)).status, 200);
  },

  "where every origin is allowed, none may send credentials": async (scene) => {
    await scene.open("app");
    const url = await scene.link("public/hello.txt");
    await scene.refuses(url, WITH_CREDENTIALS);
    await scene.says(/must not be the wildcard '\*' when the request's credentials mode is 'include'/);
    assert.equal((await scene.fetch(url)).status, 200);
  },
};
