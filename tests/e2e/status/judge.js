"use strict";
// Reads a task as JSON and writes a line of JSON for each case: its name, what it measured or what failed.

const fs = require("node:fs");
const path = require("node:path");
const { withBrowser } = require("../browser/launch.js");
const { Visit } = require("./visit.js");

const CASES = fs
  .readdirSync(path.join(__dirname, "cases"))
  .sort()
  .flatMap((file) => Object.entries(require(`./cases/${file}`)));
const PATIENCE = 120_000;

async function judge(browser, task, [name, run]) {
  const visit = new Visit(browser, task);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    return { name, detail: await Promise.race([run(visit), late]) };
  } catch (error) {
    await visit.picture(path.join(task.results, `failed-${name.replace(/\W+/g, "-")}.png`)).catch(() => {});
    return { name, error: error.message, console: visit.console };
  } finally {
    clearTimeout(timer);
    await visit.close();
  }
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
withBrowser({ port: task.port }, async (browser) => {
  for (const one of CASES) console.log(JSON.stringify(await judge(browser, task, one)));
});
