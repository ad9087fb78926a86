"use strict";
// Chromium as Debian packages it, without network traffic of its own.

const { chromium } = require("playwright-core");
const { servePages } = require("./pages.js");

const ARGUMENTS = [
  "--no-sandbox", // the tests may run as root
  "--disable-dev-shm-usage",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/// Runs a function with it and with pages on this port (servePages). Both end with the function; if it fails, the process exits with 1.
async function withBrowser({ port, bodies, further = [] }, work) {
  let pages, browser;
  try {
    pages = await servePages(port, bodies);
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: [...ARGUMENTS, ...further] });
    await work(browser);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await browser?.close();
    pages?.close();
  }
}

module.exports = { withBrowser };
