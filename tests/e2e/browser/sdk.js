"use strict";
// The AWS SDK for JavaScript in a page in Chromium: reads a task as JSON, writes the SDK's result of each operation.
//     node sdk.js [--without-cors] < TASK
// Without CORS the page calls a server as if from the server's own origin: the same call, made directly.

const fs = require("node:fs");
const path = require("node:path");
const { withBrowser } = require("./launch.js");
const { originOf } = require("./pages.js");

function bundle() {
  const built = require("esbuild").buildSync({
    entryPoints: [path.join(__dirname, "sdk-page.mjs")],
    nodePaths: [process.env.NODE_PATH],
    bundle: true,
    platform: "browser",
    format: "iife",
    write: false,
    logLevel: "error",
  });
  return built.outputFiles[0].text;
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
const bodies = { "/sdk.js": bundle() };
for (const name of ["content", "large", "small"]) bodies[`/${name}`] = fs.readFileSync(path.join(task.folder, name));
const further = process.argv.includes("--without-cors") ? ["--disable-web-security"] : [];
withBrowser({ port: task.port, bodies, further }, async (browser) => {
  const page = await browser.newPage();
  await page.goto(originOf("app", task.port));
  await page.addScriptTag({ url: "/sdk.js" });
  process.stdout.write(JSON.stringify(await page.evaluate((task) => carryOut(task), task)));
});
