"use strict";
// Chromium as Debian has it, without anything of its own on the network.

const { chromium } = require("playwright-core");

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

/// Starts it; `further` arguments are the caller's.
function launch(further = []) {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: [...ARGUMENTS, ...further] });
}

module.exports = { launch };
