"use strict";
// A look at a page, with everything noted that a page should not do; and requests that no browser would send.

const assert = require("node:assert/strict");
const http = require("node:http");

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 375, height: 740 };

class Visit {
  constructor(browser, task) {
    this.browser = browser;
    this.task = task;
    this.contexts = [];
    this.console = [];
    this.forget();
  }

  forget() {
    Object.assign(this, { dialogs: [], errors: [], requests: [] });
    this.console.length = 0;
  }

  /// A page in a browser of its own, with these settings.
  async page(settings = {}) {
    const context = await this.browser.newContext({ viewport: DESKTOP, ...settings });
    this.contexts.push(context);
    this.current = await context.newPage();
    this.current.on("dialog", (dialog) => {
      this.dialogs.push(dialog.message());
      dialog.dismiss();
    });
    this.current.on("console", (message) => this.console.push(message.text()));
    this.current.on("pageerror", (error) => this.errors.push(error.message));
    this.current.on("request", (request) => this.requests.push(request.url()));
    return this.current;
  }

  async open(url, settings) {
    const page = await this.page(settings);
    await page.goto(url);
    return page;
  }

  /// Sends a request with exactly this path and these headers, and returns its status and headers.
  send(url, method, path, headers) {
    return new Promise((resolve, reject) => {
      const request = http.request(url, { method, path, headers, agent: false }, (response) => {
        response.resume().on("end", () => resolve(response));
      });
      request.on("error", reject).end();
    });
  }

  /// A preflight that the rules deny; returns its request id.
  async denied(proxy, { origin, method = "PUT", names = "content-type", path = "/photos/cat.jpg", host = "s3.example.com" }) {
    const headers = { host, origin, "access-control-request-method": method, "access-control-request-headers": names };
    const response = await this.send(proxy.url, "OPTIONS", path, headers);
    assert.notEqual(response.statusCode, 200, JSON.stringify(headers));
    return response.headers["x-amz-request-id"];
  }

  async eventually(what, condition) {
    const until = Date.now() + 10_000;
    for (;;) {
      const value = await condition();
      if (value) return value;
      assert.ok(Date.now() < until, `not within 10 s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  picture(file, options = {}) {
    return this.current.screenshot({ path: file, timeout: 10_000, ...options });
  }

  async close() {
    for (const context of this.contexts) await context.close();
  }
}

module.exports = { Visit, DESKTOP, PHONE };
