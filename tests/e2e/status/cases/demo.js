"use strict";
// What a new user of the demo sees: from a page's CORS error to a rule that allows it.

const assert = require("node:assert/strict");
const fs = require("node:fs");

const WORKS = /^PUT: 200, ETag .+\. GET: 200, “Written by http/;
/// What the issue of this walk promises, in milliseconds.
const A_MINUTE = 60_000;

function result(page) {
  return page.textContent("#result");
}

/// Follows the page's link to the explanation, writes the document that it proposes, and comes back to a page that says `works`. Returns
/// how long that took after the document was written, in milliseconds.
async function correct(visit, page, method, works) {
  const { denied, rules, status } = visit.task.demo;
  const link = page.locator("#result a");
  await link.waitFor();
  assert.ok((await result(page)).includes(`The browser refused the ${method}: `));
  await visit.eventually("the browser says CORS", () => visit.console.some((line) => line.includes("blocked by CORS policy")));
  await link.click();
  await page.waitForURL((url) => url.href.startsWith(status));
  const origin = new URL(denied).origin;
  const answer = await page.textContent("#answer");
  for (const says of [`Denied: ${method} from ${origin} to the bucket demo`, "The rule that would allow it", `>${origin}<`]) {
    assert.ok(answer.includes(says), `${says}: ${answer}`);
  }
  await page.click("text=The whole document with that rule");
  fs.writeFileSync(rules, await page.innerText("details:has(summary:text('The whole document')) pre"));
  const written = Date.now();
  await page.goto(denied);
  await visit.eventually(`the ${method} works`, async () => {
    const text = await result(page);
    if (works.test(text)) return true;
    if (text !== "…") await page.click("#again");
    return false;
  });
  return Date.now() - written;
}

module.exports = {
  "the demo's page puts and gets an object": async (visit) => {
    const page = await visit.open(visit.task.demo.allowed);
    const text = await visit.eventually("the page reads both responses", async () => WORKS.test(await result(page)) && result(page));
    assert.match(text, /^PUT: 200, ETag "\w+"\./);
    assert.ok(text.includes(`“Written by ${new URL(page.url()).origin} at `), text);
  },

  "from a CORS error to a live rule": async (visit) => {
    const { denied } = visit.task.demo;
    const started = Date.now();
    const page = await visit.open(denied);
    // A proposal allows the request that was refused and nothing else, so the PUT and the GET each have one.
    const live = [await correct(visit, page, "PUT", /^PUT: 200/), await correct(visit, page, "GET", WORKS)];
    const walk = Date.now() - started;
    assert.ok(walk < A_MINUTE, `it took ${walk} ms`);
    return `${(walk / 1000).toFixed(1)} s; each rule worked ${live.join(" and ")} ms after it was written`;
  },

  "the demo's page and its status page run nothing of each other": async (visit) => {
    await visit.open(visit.task.demo.status);
    assert.deepEqual([visit.console, visit.errors, visit.dialogs], [[], [], []]);
  },
};
