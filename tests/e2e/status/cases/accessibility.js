"use strict";
// axe-core finds nothing on the page: with nothing to show and with everything, light and dark, wide and narrow.

const assert = require("node:assert/strict");
const axe = require("axe-core");
const { DESKTOP, PHONE } = require("../visit.js");

const ALL = { bucket: "photos", origin: "https://app.example.com", method: "PUT", request_headers: "content-type" };

/// What axe-core finds, in all its rules, the best practices too.
async function findings(page) {
  await page.evaluate(`${axe.source}; undefined`);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}

async function isForEveryone(visit, url, isThere = async () => {}) {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [DESKTOP, PHONE]) {
      const page = await visit.open(url, { colorScheme, viewport });
      await isThere(page);
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      const found = await findings(page);
      assert.deepEqual(found, [], `${url}, ${colorScheme}, ${viewport.width} wide:\n${found.join("\n")}`);
      // A telephone in a hand, and a small one.
      for (const width of viewport === PHONE ? [PHONE.width, 320] : [viewport.width]) {
        await page.setViewportSize({ ...viewport, width });
        const needed = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(needed <= width, `${url} scrolls sideways: ${needed} of ${width}`);
      }
      await page.context().close();
    }
  }
}

/// The page of the proxy with everything, with the answer to a question about it.
function asked(visit, question) {
  return `${visit.task.full.admin}/status?${new URLSearchParams(question)}`;
}

module.exports = {
  "axe-core finds nothing on a page with nothing to show": (visit) => isForEveryone(visit, `${visit.task.empty.admin}/status`),

  "axe-core finds nothing on a page with everything": async (visit) => {
    await visit.denied(visit.task.full, { origin: "https://evil.example" });
    await visit.denied(visit.task.full, { origin: "https://app.example.com", names: "x-other" });
    await isForEveryone(visit, `${visit.task.full.admin}/status`);
  },

  "axe-core finds nothing on the answers": async (visit) => {
    const request_id = await visit.denied(visit.task.full, { origin: "https://app.example.com", method: "DELETE" });
    const questions = [ALL, { ...ALL, method: "DELETE" }, { request_id }, { ...ALL, origin: "" }, { ...ALL, method: "PATCH" }];
    for (const question of questions) await isForEveryone(visit, asked(visit, question));
  },

  "axe-core finds nothing on the demo's page": async (visit) => {
    const { allowed, denied } = visit.task.demo;
    await isForEveryone(visit, allowed, (page) => page.locator("#get.good").waitFor());
    await isForEveryone(visit, denied, (page) => page.locator("#why").waitFor());
  },

  "axe-core finds something on a page that is not for everyone": async (visit) => {
    const page = await visit.open(`${visit.task.empty.admin}/status`);
    await page.evaluate(() => document.querySelector("label").remove());
    assert.match((await findings(page)).join("\n"), /^label: /m);
  },
};
