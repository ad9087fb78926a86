"use strict";
// The strip at the top and the pictures of the last hour, as they are drawn.

const assert = require("node:assert/strict");
const { PHONE } = require("../visit.js");

/// The height of what is drawn of a class, in pixels.
function drawn(page, selector) {
  return page.evaluate((selector) => document.querySelector(selector).getBoundingClientRect().height, selector);
}

/// The words of a cell of the strip.
function tile(page, name) {
  return page.textContent(`.tile:has(dt:text-is("${name}")) strong`);
}

module.exports = {
  "the pictures are there before any request": async (visit) => {
    const page = await visit.open(`${visit.task.idle.admin}/status`);
    for (const picture of ["#decisions-title", "#durations-title"]) {
      const box = await page.locator(`figure:has(${picture}) svg`).boundingBox();
      assert.ok(box.width > 300 && box.height > 100, JSON.stringify(box));
      assert.ok(await page.getByRole("img", { name: await page.textContent(picture) }).isVisible());
    }
    assert.equal(await tile(page, "State"), "ready");
    assert.equal(await tile(page, "Rejected"), "none");
    assert.deepEqual([visit.console, visit.errors], [[], []], "the policy lets all of it be drawn");
  },

  "bars are as tall as there are decisions": async (visit) => {
    const { hour: proxy } = visit.task;
    const headers = { origin: "https://app.example.com", "access-control-request-method": "PUT" };
    for (let sent = 0; sent < 12; sent++) await visit.send(proxy.url, "OPTIONS", "/photos/cat.jpg", headers);
    for (let sent = 0; sent < 4; sent++) await visit.denied(proxy, { origin: "https://shop.example.com" });
    const page = await visit.open(`${proxy.admin}/status`);
    const [allowed, denied] = [await drawn(page, "path.allowed"), await drawn(page, "path.denied")];
    assert.ok(allowed > 2 * denied && denied > 2, `${allowed} and ${denied} pixels`);
    assert.notEqual(
      await page.evaluate(() => getComputedStyle(document.querySelector("path.allowed")).fill),
      await page.evaluate(() => getComputedStyle(document.querySelector("path.denied")).fill),
    );
    assert.equal(await tile(page, "Rejected"), "4");
    const last = page.locator("figure:has(#decisions-title) rect.tip").last();
    assert.match(await last.locator("title").textContent(), /^\d\d:\d\d: (none|allowed)/);
  },

  "the state is not ready while the only upstream is down": async (visit) => {
    const { hour: proxy } = visit.task;
    const response = await visit.send(proxy.url, "GET", "/photos/cat.jpg", {});
    assert.ok(response.statusCode >= 500, response.statusCode);
    const page = await visit.open(`${proxy.admin}/status`);
    assert.deepEqual([await tile(page, "State"), await tile(page, "Upstreams")], ["upstream down", "0 of 1 up"]);
    assert.equal(await page.title(), "s3cors: upstream down");
    assert.equal(await page.locator(".tile.good dt", { hasText: "State" }).count(), 0);
  },

  "a card has the fix in its whole width, and one click selects it": async (visit) => {
    const { hour: proxy } = visit.task;
    await visit.denied(proxy, { origin: "https://shop.example.com" });
    for (const viewport of [{ width: 1280, height: 900 }, PHONE]) {
      const page = await visit.open(`${proxy.admin}/status`, { viewport });
      const card = page.locator(".card", { hasText: "https://shop.example.com" }).first();
      const [whole, fix] = [await card.boundingBox(), await card.locator(".fix").boundingBox()];
      assert.ok(fix.width > whole.width - 50, `${fix.width} of ${whole.width}`);
      await card.locator("summary").click();
      const rule = card.locator("pre");
      await rule.click({ position: { x: 30, y: 30 } });
      const selected = await page.evaluate(() => String(window.getSelection()));
      assert.ok(selected.trim() === (await rule.innerText()).trim() && selected.includes("<CORSRule>"), selected);
      assert.match(await card.locator(".last").innerText(), /last \d{4}-\d\d-\d\dT\S+Z (just now|\d+ s ago)/);
    }
  },

  "the page loads itself again when it is asked to": async (visit) => {
    const page = await visit.open(`${visit.task.idle.admin}/status`);
    await page.click("text=Reload every 10 s");
    await page.waitForURL(/refresh=10/);
    visit.forget();
    await page.goto(`${visit.task.idle.admin}/status?refresh=5`);
    await page.evaluate(() => (window.isOld = true));
    await visit.eventually("it is loaded again", () => page.evaluate(() => !window.isOld).catch(() => false));
    await page.click("text=Stop");
    await page.waitForURL((url) => url.search === "");
  },
};
