"use strict";
// Who may read and write: by origin, method and bucket.

const assert = require("node:assert/strict");
const { TEXT } = require("../objects.js");

const PUT = { method: "PUT", body: "from a page", headers: { "content-type": "text/x-page" } };

module.exports = {
  "an allowed origin reads an object": async (scene) => {
    await scene.open("app");
    const { status, body } = await scene.fetch(await scene.link("web/hello.txt"));
    assert.deepEqual([status, body], [200, TEXT]);
  },

  "a forbidden origin does not": async (scene) => {
    await scene.open("evil");
    await scene.refuses(await scene.link("web/hello.txt"));
  },

  "a pattern allows the subdomains and not the domain": async (scene) => {
    const url = await scene.link("web/hello.txt");
    await scene.open("one.readers");
    assert.equal((await scene.fetch(url)).status, 200);
    await scene.open("readers");
    await scene.refuses(url);
  },

  "an upload is allowed by the second rule of its origin": async (scene) => {
    await scene.open("app");
    const url = await scene.link("web/upload.txt", { method: "PUT" });
    assert.equal((await scene.fetch(url, PUT)).status, 200);
    assert.equal((await scene.fetch(await scene.link("web/upload.txt"))).body, PUT.body);
  },

  "an upload whose preflight is denied is never sent": async (scene) => {
    const url = await scene.link("web/never.txt", { method: "PUT" });
    for (const origin of ["evil", "one.readers"]) {
      await scene.open(origin);
      await scene.refuses(url, PUT);
    }
    await scene.open("app");
    await scene.refuses(url, { ...PUT, headers: { "x-not-allowed": "1" } });
    assert.equal(await scene.exists("web/never.txt"), false);
  },

  "a script follows the progress of its upload": async (scene) => {
    await scene.open("app");
    const url = await scene.link("web/progress.bin", { method: "PUT" });
    const seen = await scene.page.evaluate(
      (url) =>
        new Promise((resolve, reject) => {
          const request = new XMLHttpRequest();
          let sent = 0;
          request.upload.onprogress = (event) => (sent = event.loaded);
          request.onload = () => resolve({ sent, status: request.status });
          request.onerror = () => reject(new Error("Failed to fetch"));
          request.open("PUT", url);
          request.send(new Uint8Array(3_000_000));
        }),
      url,
    );
    assert.deepEqual(seen, { sent: 3_000_000, status: 200 });
  },

  "an object is deleted where DELETE is allowed, and nowhere else": async (scene) => {
    await scene.open("app");
    await scene.fetch(await scene.link("web/delete.txt", { method: "PUT" }), PUT);
    const url = await scene.link("web/delete.txt", { method: "DELETE" });
    await scene.open("one.readers");
    await scene.refuses(url, { method: "DELETE" });
    assert.equal(await scene.exists("web/delete.txt"), true);
    await scene.open("app");
    assert.equal((await scene.fetch(url, { method: "DELETE" })).status, 204);
    assert.equal(await scene.exists("web/delete.txt"), false);
  },

  "a public bucket is read from every origin": async (scene) => {
    await scene.open("anyone");
    assert.equal((await scene.fetch(await scene.link("public/hello.txt"))).body, TEXT);
  },

  "a bucket without rules is read from nowhere": async (scene) => {
    await scene.open("app");
    await scene.refuses(await scene.link("bare/hello.txt"));
  },

  "a sandboxed frame, whose origin is null, reads what is public and nothing else": async (scene) => {
    await scene.open("app");
    const inFrame = async (url) =>
      scene.page.evaluate(
        (url) =>
          new Promise((resolve) => {
            addEventListener("message", (event) => resolve(event.data), { once: true });
            const frame = document.createElement("iframe");
            frame.sandbox = "allow-scripts";
            frame.srcdoc = `<script>
              fetch(${JSON.stringify(url)}).then((answer) => answer.text(), (error) => error.message)
                .then((text) => parent.postMessage(origin + ": " + text, "*"));
            </script>`;
            document.body.append(frame);
          }),
        url,
      );
    assert.equal(await inFrame(await scene.link("public/hello.txt")), `null: ${TEXT}`);
    assert.equal(await inFrame(await scene.link("web/hello.txt")), "null: Failed to fetch");
    await scene.says(/from origin 'null' has been blocked by CORS policy/);
  },
};
