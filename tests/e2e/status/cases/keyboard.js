"use strict";
// Without a mouse: the form is filled and sent, what is folded up opens, and a table scrolls.

const assert = require("node:assert/strict");
const { PHONE } = require("../visit.js");

/// Presses Tab until this has the focus, and the focus can be seen.
async function tabTo(page, selector) {
  for (let pressed = 0; pressed < 60; pressed++) {
    await page.keyboard.press("Tab");
    const outline = await page.evaluate((selector) => {
      const focused = document.activeElement;
      return focused.matches(selector) ? getComputedStyle(focused).outlineStyle : null;
    }, selector);
    if (outline) return assert.notEqual(outline, "none", `the focus on ${selector} cannot be seen`);
  }
  assert.fail(`Tab does not reach ${selector}`);
}

module.exports = {
  "the form is used by keyboard": async (visit) => {
    const page = await visit.open(`${visit.task.full.admin}/status`);
    const typed = { origin: "https://other.example", method: "PUT", bucket: "photos", request_headers: "content-type" };
    for (const [field, text] of Object.entries(typed)) {
      await tabTo(page, `#${field}`);
      await page.keyboard.type(text);
    }
    await page.keyboard.press("Enter");
    await page.waitForURL(/origin=https%3A%2F%2Fother\.example/);
    assert.match(await page.textContent("#answer"), /Denied: PUT from https:\/\/other\.example to the bucket photos/);
    assert.equal(await page.inputValue("#origin"), "https://other.example");
    const top = await page.evaluate(() => document.getElementById("answer").getBoundingClientRect().top);
    assert.ok(top >= -1 && top < 900, `the answer is where the reader is: ${top}`);
    // Reading goes on at the answer.
    await tabTo(page, "#answer summary");
  },

  "an empty form says what is missing": async (visit) => {
    const page = await visit.open(`${visit.task.full.admin}/status`);
    await tabTo(page, "#request_id");
    await page.keyboard.press("Enter");
    await page.waitForURL(/request_id=/);
    assert.match(await page.textContent("#answer [role=alert]"), /is missing: an explanation needs/);
  },

  "the rule that would allow it opens by keyboard": async (visit) => {
    await visit.denied(visit.task.full, { origin: "https://evil.example" });
    const page = await visit.open(`${visit.task.full.admin}/status`);
    await tabTo(page, "#rejections summary");
    await page.keyboard.press("Enter");
    assert.match(await page.innerText("#rejections details[open]"), /<AllowedOrigin>/);
  },

  "the tables behind the pictures open by keyboard": async (visit) => {
    await visit.denied(visit.task.full, { origin: "https://evil.example" });
    const page = await visit.open(`${visit.task.full.admin}/status`);
    for (const caption of ["decisions-table", "durations-table"]) {
      await tabTo(page, `details:has(#${caption}) summary`);
      await page.keyboard.press("Enter");
      assert.match(await page.innerText(`table:has(#${caption})`), /^All\s/m);
    }
  },

  "a wide table scrolls by keyboard on a telephone": async (visit) => {
    const page = await visit.open(`${visit.task.full.admin}/status`, { viewport: PHONE });
    await tabTo(page, "#rules .scroll");
    await page.keyboard.press("ArrowRight");
    await visit.eventually("it scrolls", () => page.evaluate(() => document.querySelector("#rules .scroll").scrollLeft > 0));
  },
};
