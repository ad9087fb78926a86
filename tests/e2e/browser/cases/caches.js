"use strict";
// The browser's two caches: of preflights, and of responses.

const assert = require("node:assert/strict");

const UPLOADS = 3;

/// How many preflights an origin sends for its uploads of one object.
async function preflights(scene, origin) {
  await scene.open(origin);
  const url = await scene.link(`web/${origin}.txt`, { method: "PUT" });
  const count = () =>
    Promise.all([
      scene.metric("s3cors_decisions_total{", ['kind="preflight"']),
      scene.metric("s3cors_http_requests_total{", ['method="PUT"']),
    ]);
  const [before, uploadsBefore] = await count();
  for (let upload = 0; upload < UPLOADS; upload += 1) {
    const options = { method: "PUT", body: "x", headers: { "content-type": "text/x-page" } };
    assert.equal((await scene.fetch(url, options)).status, 200);
  }
  // A request is counted after its response.
  await scene.eventually("all uploads are counted", async () => (await count())[1] === uploadsBefore + UPLOADS);
  return (await count())[0] - before;
}

/// An image as a page usually shows it, without CORS.
function show(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((resolve, reject) => {
        const image = document.body.appendChild(new Image());
        image.onload = resolve;
        image.onerror = () => reject(new Error("the image was not loaded"));
        image.src = url;
      }),
    url,
  );
}

module.exports = {
  "a preflight is kept as long as the rule says": async (scene) => {
    assert.equal(await preflights(scene, "app"), 1);
  },

  "a preflight with a max-age of 0 is not kept": async (scene) => {
    assert.equal(await preflights(scene, "impatient"), UPLOADS);
  },

  "an image that was shown without CORS is fetched with it": async (scene) => {
    const page = await scene.open("app");
    const url = await scene.link("web/pixel.png");
    const gets = () => scene.metric("s3cors_http_requests_total{", ['method="GET"']);
    const before = await gets();
    await show(page, url);
    assert.equal((await scene.fetch(url)).status, 200);
    // That response is cached: s3cors sees both requests and no third.
    assert.equal((await scene.fetch(url)).status, 200);
    await scene.eventually("two requests are counted", async () => (await gets()) === before + 2);
  },

  "with Vary as S3 sends it the same fetch fails, unless the server sends Vary itself": async (scene) => {
    const page = await scene.open("app");
    const url = await scene.link("web/pixel.png", { at: scene.task.as_s3 });
    await show(page, url);
    const own = await fetch(await scene.link("web/pixel.png", { at: scene.task.server.url }));
    if (/\borigin\b/i.test(own.headers.get("vary"))) assert.equal((await scene.fetch(url)).status, 200);
    else await scene.refuses(url);
  },
};
