"use strict";
// What a case has: pages on origins of their choice, links, and what the proxy counts.

const assert = require("node:assert/strict");
const { exists, link } = require("./objects.js");
const { originOf } = require("./pages.js");

const CORS_ERROR = /blocked by CORS policy/;

class Scene {
  constructor(browser, task) {
    this.browser = browser;
    this.task = task;
    this.console = [];
  }

  /// A page of this origin (`app` is http://app.localhost:PORT).
  async open(name, path = "/") {
    this.context ??= await this.browser.newContext();
    this.page = await this.context.newPage();
    this.page.on("console", (message) => this.console.push(message.text()));
    await this.page.goto(originOf(name, this.task.port) + path);
    return this.page;
  }

  /// A link to `bucket/key`; `at` replaces the usual address.
  link(name, { method = "GET", at = this.task.url } = {}) {
    return link(this.task.server, at, method, name);
  }

  exists(name) {
    return exists(this.task.server, name);
  }

  /// What a script in the page gets for a request: status, body and the headers that it may read.
  fetch(url, options) {
    return this.page.evaluate(
      async ({ url, options }) => {
        const answer = await fetch(url, options);
        return { status: answer.status, body: await answer.text(), headers: Object.fromEntries(answer.headers) };
      },
      { url, options },
    );
  }

  /// The browser withholds the response from the page and names CORS as the reason.
  async refuses(url, options) {
    const answer = await this.fetch(url, options).catch((error) => error);
    assert.match(String(answer.message), /Failed to fetch/, `the page got ${JSON.stringify(answer)}`);
    await this.says(CORS_ERROR);
  }

  /// The browser's console has a line that matches; it appears shortly after the page's own error.
  async says(pattern) {
    await this.eventually(`the browser says ${pattern}`, () => this.console.some((line) => pattern.test(line)));
  }

  /// The sum of a metric of the proxy over the series that have these labels.
  async metric(name, labels = []) {
    assert.ok(this.task.admin, "there is no proxy that counts");
    const text = await (await fetch(`http://${this.task.admin}/metrics`)).text();
    const series = text.split("\n").filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)));
    return series.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async eventually(what, condition) {
    const until = Date.now() + 5000;
    while (!(await condition())) {
      assert.ok(Date.now() < until, `not within 5 s: ${what}; ${JSON.stringify(this.console)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /// A screenshot of the page that shows the failure and the console.
  async picture(file, text) {
    const show = (text) => {
      const shown = document.body.appendChild(document.createElement("pre"));
      Object.assign(shown, { textContent: text, style: "white-space: pre-wrap; word-break: break-all" });
    };
    try {
      await this.page.evaluate(show, [text, ...this.console].join("\n"));
      await this.page.screenshot({ path: file, timeout: 5000 });
    } catch {
      // The page can no longer be shown; the text is in the log.
    }
  }

  async close() {
    await this.context?.close();
  }
}

module.exports = { Scene };
