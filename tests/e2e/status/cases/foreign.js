"use strict";
// What others send is text on the page: in every field that they can choose, nothing of it runs, loads or becomes an element.

const assert = require("node:assert/strict");

const PAYLOADS = [
  "<script>alert('script')</script>",
  "\"><img src=x onerror=alert('img')>",
  "' onmouseover=alert('attribute') x='",
  "javascript:alert('link')",
  "</style></title><svg onload=alert('svg')>",
  "<iframe srcdoc=\"<script>parent.alert('frame')</script>\"></iframe>",
  "&lt;script&gt;alert('entity')&lt;/script&gt;",
];
const FIELDS = ["origin", "method", "bucket", "request_headers", "request_id", "unknown"];

/// Elements and attributes that the page does not have by itself.
function strangers() {
  const found = [...document.querySelectorAll("script, img, svg:not(.picture), iframe, object, embed, link, base, video, audio")];
  const attributes = [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]);
  const acts = ({ name, value }) => name.startsWith("on") || name === "srcdoc" || (name !== "value" && /^\s*javascript:/i.test(value));
  const acting = attributes.filter(acts);
  return [...found.map((element) => element.outerHTML), ...acting.map(({ name, value }) => `${name}="${value}"`)];
}

/// Opens the page and unfolds all of it; nothing of it may come from a stranger.
async function isHarmless(visit, url) {
  const page = visit.current ?? (await visit.page());
  visit.forget();
  await page.goto(url);
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  assert.deepEqual(await page.evaluate(strangers), [], url);
  const hrefs = await page.evaluate(() => [...document.links].map((link) => link.href));
  assert.ok(hrefs.every((href) => href.startsWith(visit.task.full.admin)), `${url}: ${hrefs}`);
  assert.deepEqual([visit.dialogs, visit.console, visit.errors], [[], [], []], url);
  assert.deepEqual(visit.requests, [page.url()], "the page alone is loaded");
  return page.evaluate(() => document.body.textContent);
}

module.exports = {
  "what a request says is text": async (visit) => {
    const { full } = visit.task;
    for (const payload of PAYLOADS) {
      // The most frequent ones, so that all of them have their places on the page.
      for (let sent = 0; sent < 4; sent++) await visit.denied(full, { origin: payload });
      await visit.denied(full, { origin: "https://app.example.com", names: payload });
      await visit.denied(full, { origin: "https://app.example.com", method: payload });
      await visit.denied(full, { origin: `https://host.example#${payload}`, host: payload.replace(/\W/g, "") + "<b>" });
      const path = `/${encodeURIComponent(payload)}/${payload.replaceAll(" ", "%20")}`;
      await visit.send(full.url, "OPTIONS", path, { origin: payload, "access-control-request-method": "PUT" });
      await visit.send(full.url, "GET", "/photos/cat.jpg", { origin: payload, "x-amz-request-id": payload, "user-agent": payload });
    }
    const text = await isHarmless(visit, `${full.admin}/status`);
    for (const payload of PAYLOADS) assert.ok(text.includes(payload), `${payload} is shown as it came`);
  },

  "a denial that is explained by its id is text": async (visit) => {
    for (const payload of PAYLOADS) {
      const path = `/photos/${payload.replaceAll(" ", "%20")}`;
      const id = await visit.denied(visit.task.full, { origin: `https://app.example.com`, names: `x-a,${payload}`, method: "DELETE", path });
      const text = await isHarmless(visit, `${visit.task.full.admin}/status?request_id=${id}`);
      assert.ok(text.includes(`The request ${id}`), text);
    }
  },

  "names of files, IDs of rules and errors are text": async (visit) => {
    const text = await isHarmless(visit, `${visit.task.full.admin}/status`);
    for (const shown of ["<script>alert('file')<script>", "\"><img src=x onerror=alert(2)>", "<script>alert('id')</script>", "broken.xml"]) {
      assert.ok(text.includes(shown), shown);
    }
  },

  "what is asked is text": async (visit) => {
    const usual = { bucket: "photos", origin: "https://app.example.com", method: "PUT" };
    for (const payload of PAYLOADS) {
      for (const field of FIELDS) {
        const query = new URLSearchParams({ ...usual, [field]: payload, [payload]: payload });
        await isHarmless(visit, `${visit.task.full.admin}/status?${query}`);
      }
    }
  },

  "the policy would stop a script, an image, a style and a form to another place": async (visit) => {
    const page = await visit.page();
    const injected = `<script>document.title = "owned"</script><img src=x onerror="document.title = 'owned'">
      <style>main { display: none }</style><p id="styled" style="color: red">x</p><base href="http://evil.localhost/">
      <form id="foreign" action="http://evil.localhost:${visit.task.port}/"><button>send</button></form>`;
    await page.route("**/status", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace("<main>", `<main>${injected}`) });
    });
    const url = `${visit.task.full.admin}/status`;
    await page.goto(url);
    const seen = await page.evaluate(() => ({
      title: document.title,
      main: getComputedStyle(document.querySelector("main")).display,
      color: getComputedStyle(document.getElementById("styled")).color,
      base: document.baseURI,
      // Its own style sheet is applied.
      width: getComputedStyle(document.body).maxWidth,
    }));
    assert.notEqual(seen.color, "rgb(255, 0, 0)");
    assert.deepEqual([seen.title, seen.main, seen.base, seen.width], ["s3cors: upstream down", "block", url, "1216px"]);
    await page.evaluate(() => document.getElementById("foreign").requestSubmit());
    await visit.eventually("the form is stopped", () => visit.console.some((line) => line.includes("form-action")));
    assert.equal(page.url(), url);
    for (const directive of ["script-src", "img-src", "style-src", "base-uri"]) {
      assert.ok(visit.console.some((line) => line.includes(directive) || line.includes("default-src")), directive);
    }
  },

  "no other page can have it in a frame": async (visit) => {
    const page = await visit.open(`http://evil.localhost:${visit.task.port}/`);
    await page.evaluate((url) => {
      document.body.appendChild(document.createElement("iframe")).src = url;
    }, `${visit.task.full.admin}/status`);
    await visit.eventually("the frame is refused", () => visit.console.some((line) => line.includes("frame-ancestors")));
  },
};
