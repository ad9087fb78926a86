"use strict";
// What a new user of the demo sees: from a page's CORS error to a rule that allows it.

const assert = require("node:assert/strict");
const fs = require("node:fs");

/// The steps of the page, as text, once each works.
const WORKS = [/^✓Preflightallowed$/, /^✓PUT200, ETag "\w+" \d+ ms$/, /^✓GET200, “Written by http\S+ at .+” \d+ ms$/];
/// What the issue of this walk promises, in milliseconds.
const A_MINUTE = 60_000;

async function steps(page) {
  return Promise.all(["preflight", "put", "get"].map((id) => page.textContent(`#${id}`)));
}

/// Whether all steps work.
async function works(page) {
  const said = await steps(page);
  return WORKS.every((pattern, index) => pattern.test(said[index]));
}

/// Follows the page's "Why?" to the explanation, writes the document that it proposes for all that was refused, and comes back to a page
/// that works. Returns how long that took after the document was written, in milliseconds.
async function correct(visit, page) {
  const { denied, rules, status } = visit.task.demo;
  const link = page.locator("#why");
  await link.waitFor();
  await visit.eventually("the GET was tried, too", async () => (await page.textContent("#get")).startsWith("✗"));
  await visit.eventually("the browser says CORS", () => visit.console.some((line) => line.includes("blocked by CORS policy")));
  await link.click();
  await page.waitForURL((url) => url.href.startsWith(status));
  const origin = new URL(denied).origin;
  const answer = await page.textContent("#answer");
  for (const says of [`Denied: PUT from ${origin} to the bucket demo`, "all that this origin was refused: GET, PUT", `>${origin}<`]) {
    assert.ok(answer.includes(says), `${says}: ${answer}`);
  }
  const whole = "The whole document with all of it";
  await page.click(`text=${whole}`);
  fs.writeFileSync(rules, await page.innerText(`details:has(summary:text('${whole}')) pre`));
  const written = Date.now();
  await page.goto(denied);
  await visit.eventually("the page works", async () => {
    if (await works(page)) return true;
    if (!(await page.textContent("#get")).includes("…")) await page.click("#again");
    return false;
  });
  return Date.now() - written;
}

module.exports = {
  "the demo's page puts and gets an object": async (visit) => {
    const page = await visit.open(visit.task.demo.allowed);
    await visit.eventually("the page reads both responses", () => works(page));
    const got = await page.textContent("#get");
    assert.ok(got.includes(`“Written by ${new URL(page.url()).origin} at `), got);
    assert.equal(await page.getAttribute("#other", "href"), new URL(visit.task.demo.denied).origin);
    assert.equal(await page.textContent("#rules"), visit.task.demo.rules);
  },

  "the demo's page fits a phone": async (visit) => {
    const page = await visit.open(visit.task.demo.denied);
    await page.setViewportSize({ width: 375, height: 800 });
    await page.locator("#why").waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 375));
  },

  "from a CORS error to a live rule": async (visit) => {
    const { denied } = visit.task.demo;
    const started = Date.now();
    const page = await visit.open(denied);
    const live = await correct(visit, page);
    const walk = Date.now() - started;
    assert.ok(walk < A_MINUTE, `it took ${walk} ms`);
    return `${(walk / 1000).toFixed(1)} s; the rule worked ${live} ms after it was written`;
  },

  "the demo's page and its status page run nothing of each other": async (visit) => {
    await visit.open(visit.task.demo.status);
    assert.deepEqual([visit.console, visit.errors, visit.dialogs], [[], [], []]);
  },
};
