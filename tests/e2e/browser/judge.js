"use strict";
// The browser's verdict on CORS: reads a task as JSON and writes a line of JSON for each case: its name and what failed.
// Each case has its own browser context, so it shares no cache with another.

const fs = require("node:fs");
const path = require("node:path");
const { withBrowser } = require("./launch.js");
const { store } = require("./objects.js");
const { Scene } = require("./scene.js");

const CASES = fs
  .readdirSync(path.join(__dirname, "cases"))
  .sort()
  .flatMap((file) => Object.entries(require(`./cases/${file}`)));
const ABOUT_S3CORS = "this case is about s3cors: ";
const PATIENCE = 30_000;
// What a task does not have when there is only the server: a case that asks for one of them is about s3cors.
const OF_S3CORS = ["admin", "as_s3", "by_get", "neighbours", "down", "unknown"];

function alone(task) {
  const property = (name) => ({
    get() {
      throw new Error(ABOUT_S3CORS + name);
    },
  });
  return Object.defineProperties({ ...task }, Object.fromEntries(OF_S3CORS.map((name) => [name, property(name)])));
}

async function judge(browser, task, [name, run]) {
  const scene = new Scene(browser, task.alone ? alone(task) : task);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    await Promise.race([run(scene), late]);
    return { name };
  } catch (error) {
    if (error.message.startsWith(ABOUT_S3CORS)) return { name, about_s3cors: true };
    const file = path.join(task.results, `${task.server.name}-${name.replace(/\W+/g, "-")}.png`);
    await scene.picture(file, `${name}\n\n${error.message}`);
    return { name, error: error.message, console: scene.console };
  } finally {
    clearTimeout(timer);
    await scene.close();
  }
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
withBrowser({ port: task.port }, async (browser) => {
  await store(task.server);
  for (const one of CASES) console.log(JSON.stringify(await judge(browser, task, one)));
});
