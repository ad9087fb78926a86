"use strict";
// The headers beside CORS: who may read the times of a response, and who may embed it.

const assert = require("node:assert/strict");

/// Whether the page draws an image, as <img> loads it without crossorigin.
function draws(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const image = document.body.appendChild(new Image());
        image.onload = () => resolve(image.naturalWidth === 1);
        image.onerror = () => resolve(false);
        image.src = url;
      }),
    url,
  );
}

/// What the page may know about how long a response took.
async function times(scene, url) {
  assert.equal((await scene.fetch(url)).status, 200);
  return scene.page.evaluate(async (url) => {
    const entry = () => performance.getEntriesByType("resource").find((entry) => entry.name === url);
    while (!entry()) await new Promise((resolve) => setTimeout(resolve, 10));
    const { requestStart, responseStart, transferSize } = entry();
    return { requestStart, responseStart, transferSize };
  }, url);
}

module.exports = {
  "a page that embeds only what agrees draws an image with a resource policy": async (scene) => {
    // No rule names this origin: the policy is for every page.
    const page = await scene.open("gallery", "/isolated");
    assert.equal(await draws(page, await scene.link("web/pixel.png", { at: scene.task.neighbours })), true);
    assert.equal(await draws(page, await scene.link("web/pixel.png")), false);
    await scene.says(/ERR_BLOCKED_BY_RESPONSE/);
    // Without that demand on itself, a page draws either.
    assert.equal(await draws(await scene.open("gallery"), await scene.link("web/pixel.png")), true);
  },

  "the origin of a grant reads the times of a response": async (scene) => {
    const { neighbours } = scene.task;
    for (const [origin, object] of [["app", "web/hello.txt"], ["anyone", "public/hello.txt"]]) {
      await scene.open(origin);
      const known = await times(scene, await scene.link(object, { at: neighbours }));
      assert.ok(known.requestStart > 0 && known.responseStart > 0 && known.transferSize > 0, JSON.stringify(known));
      const hidden = await times(scene, await scene.link(object));
      assert.deepEqual([hidden.requestStart, hidden.responseStart, hidden.transferSize], [0, 0, 0]);
    }
  },

  "the origin of a grant reads the times of an error": async (scene) => {
    await scene.open("app");
    const url = await scene.link("web/missing.txt", { at: scene.task.neighbours });
    assert.equal((await scene.fetch(url)).status, 404);
    const start = (url) => performance.getEntriesByType("resource").find((entry) => entry.name === url)?.responseStart;
    await scene.eventually("the entry has a time", async () => (await scene.page.evaluate(start, url)) > 0);
  },
};
