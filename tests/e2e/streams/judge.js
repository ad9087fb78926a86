"use strict";
// Private films in Chromium, each from one presigned URL, and what a page that knows a token asks for besides. Reads a task as JSON and
// writes a line of JSON for each film and each refusal.

const fs = require("node:fs");
const path = require("node:path");
const { GetObjectCommand } = require("@aws-sdk/client-s3");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { withBrowser } = require("../browser/launch.js");
const { client } = require("../browser/objects.js");
const { originOf } = require("../browser/pages.js");

const PATIENCE = 60_000;
// As fast as Chromium plays with sound, so that a film takes five seconds.
const SPEED = 4;
const PAGES = path.join(__dirname, "pages");
// The life of a URL that expires while it is used.
const SHORT = 5;

function bundles() {
  const built = require("esbuild").buildSync({
    entryPoints: fs.readdirSync(PAGES).map((file) => path.join(PAGES, file)),
    outdir: "/",
    nodePaths: [process.env.NODE_PATH],
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return Object.fromEntries(built.outputFiles.map((file) => [file.path, file.text]));
}

/// A URL of an object at this address, as an application's backend signs it.
function link({ server, bucket }, url, Key, expiresIn = 600) {
  return getSignedUrl(client(server, url), new GetObjectCommand({ Bucket: bucket, Key }), { expiresIn });
}

function patiently(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function openPage(browser, task, work) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(originOf("app", task.port));
    return await work(page);
  } finally {
    await context.close();
  }
}

/// Plays one film, and tells every request to s3cors until its end.
function play(browser, task, film) {
  return openPage(browser, task, async (page) => {
    const told = { film: film.name, exchanges: [], console: [] };
    const url = task.s3cors[film.s3cors];
    const note = (request, about) => {
      if (request.url().startsWith(url)) told.exchanges.push({ target: request.url().slice(url.length), ...about });
    };
    page.on("console", (message) => told.console.push(message.text()));
    page.on("response", (response) => note(response.request(), { status: response.status() }));
    page.on("requestfailed", (request) => note(request, { failure: request.failure().errorText }));
    try {
      await page.addScriptTag({ url: `/${film.player}.js`, type: "module" });
      const about = { url: await link(task, url, film.key), speed: SPEED };
      told.result = await patiently(page.evaluate((about) => play(about), about));
    } catch (error) {
      told.error = error.message;
    }
    return told;
  });
}

/// A page with `fetch`: it sees a response only as far as CORS allows.
class Reader {
  constructor(page) {
    this.page = page;
  }

  fetch(url, options = {}) {
    const read = async ({ url, options }) => {
      const response = await fetch(url, options);
      const { status, url: at, redirected } = response;
      return { status, url: at, redirected, body: await response.text() };
    };
    return this.page.evaluate(read, { url, options });
  }

  /// The folder that a presigned URL opens, with its token.
  async open(url, key) {
    const answer = await this.fetch(url);
    if (answer.status !== 200 || !answer.url.endsWith(key)) throw new Error(`not opened: ${answer.status} ${answer.body}`);
    return answer.url.slice(0, -key.length);
  }
}

// Of each, the response to what must be refused; the film's own segment is read first, so that a refusal means something.
const REFUSALS = {
  "a segment outside the folder": ({ reader, opened, task }) => reader.fetch(opened + task.outside),
  "a segment outside the prefix": ({ reader, opened, task }) => reader.fetch(opened + task.unlisted),
  "a segment without a token": ({ reader, opened, task }) =>
    reader.fetch(opened.replace(/~[^/]+\//, "") + task.segment),
  "a segment with a token cut": ({ reader, opened, task }) =>
    reader.fetch(opened.replace(/.\/$/, "/") + task.segment),
  "a segment with a token changed": ({ reader, opened, task }) =>
    reader.fetch(opened.replace(/~(.)/, (_, first) => (first === "A" ? "~B" : "~A")) + task.segment),
  "a segment of another bucket": ({ reader, opened, task }) =>
    reader.fetch(opened.replace(`/${task.bucket}/`, `/${task.other}/`) + task.segment),
  "a segment by PUT": ({ reader, opened, task }) =>
    reader.fetch(opened + task.segment, { method: "PUT", body: "written by a page" }),
  "a segment with a query": ({ reader, opened, task }) => reader.fetch(`${opened}${task.segment}?acl`),
  "a segment beside the playlist's folder": async ({ reader, task }) => {
    const opened = await reader.open(await link(task, task.s3cors.own, task.beside), task.beside);
    return reader.fetch(opened + task.aside);
  },
  "a presigned URL with a broken signature": async ({ reader, task }) => {
    const url = await link(task, task.s3cors.own, task.playlist);
    return reader.fetch(url.replace(/X-Amz-Signature=(.)/, (_, first) => `X-Amz-Signature=${first === "0" ? "1" : "0"}`));
  },
  "a presigned URL that has expired": async ({ reader, task }) => {
    const signingDate = new Date(Date.now() - 600_000);
    const command = new GetObjectCommand({ Bucket: task.bucket, Key: task.playlist });
    return reader.fetch(await getSignedUrl(client(task.server, task.s3cors.own), command, { expiresIn: 60, signingDate }));
  },
  "a segment after the expiry": async ({ reader, task }) => {
    const opened = await reader.open(await link(task, task.s3cors.own, task.playlist, SHORT), task.playlist);
    const until = Date.now() + (SHORT + 10) * 1000;
    const first = await reader.fetch(opened + task.segment);
    if (first.status !== 200) throw new Error(`refused before the expiry: ${first.status} ${first.body}`);
    for (;;) {
      const answer = await reader.fetch(opened + task.segment);
      if (answer.status !== 200 || Date.now() > until) return answer;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },
};

function refuse(browser, task) {
  return openPage(browser, task, async (page) => {
    const reader = new Reader(page);
    const told = [];
    const opened = await reader.open(await link(task, task.s3cors.own, task.playlist), task.playlist);
    const read = await reader.fetch(opened + task.segment);
    if (read.status !== 200) throw new Error(`the film's own segment is refused: ${read.status} ${read.body}`);
    for (const [name, ask] of Object.entries(REFUSALS)) {
      try {
        told.push({ refusal: name, ...(await ask({ reader, opened, task })) });
      } catch (error) {
        told.push({ refusal: name, error: error.message });
      }
    }
    return told;
  });
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
withBrowser({ port: task.port, bodies: bundles() }, async (browser) => {
  const films = task.films.map((film) => play(browser, task, film));
  const told = await Promise.allSettled([...films, refuse(browser, task)]);
  for (const { value, reason } of told) {
    for (const line of value ? [value].flat() : [{ refusal: "all refusals", error: reason.message }]) {
      console.log(JSON.stringify(line));
    }
  }
});
