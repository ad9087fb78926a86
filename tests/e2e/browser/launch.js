"use strict";
// Chromium as Debian has it, without anything of its own on the network.

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

/// Does something with it, beside pages at this port (servePages); both end with it, and the process with 1 when it fails.
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
