"use strict";
// Real libraries in pages in Chromium: reads a task as JSON and writes a line of JSON for each run: its result or what failed, the
// exchanges on the wire, and the response headers that its scripts read.

const fs = require("node:fs");
const path = require("node:path");
const s3 = require("@aws-sdk/client-s3");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { withBrowser } = require("../browser/launch.js");
const { client, link } = require("../browser/objects.js");
const { originOf } = require("../browser/pages.js");
const { Tap } = require("./tap.js");

const PATIENCE = 30_000;
const SPY = fs.readFileSync(path.join(__dirname, "spy.js"), "utf8");
const PAGES = path.join(__dirname, "pages");
const MODULES = process.env.NODE_PATH;
// What libraries load by themselves. A worker has a fetch of its own, so its script begins with the spy.
const WORKERS = [
  "pdfjs-dist/build/pdf.worker.min.mjs",
  "@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js",
  "sql.js-httpvfs/dist/sqlite.worker.js",
];
const FILES = ["@duckdb/duckdb-wasm/dist/duckdb-eh.wasm", "sql.js-httpvfs/dist/sql-wasm.wasm"];

function bundles() {
  const built = require("esbuild").buildSync({
    entryPoints: fs.readdirSync(PAGES).map((file) => path.join(PAGES, file)),
    outdir: "/",
    nodePaths: [MODULES],
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    logLevel: "error",
  });
  const bodies = Object.fromEntries(built.outputFiles.map((file) => [file.path, file.text]));
  for (const name of WORKERS) bodies[`/node_modules/${name}`] = `${SPY}\n${fs.readFileSync(path.join(MODULES, name), "utf8")}`;
  for (const name of FILES) bodies[`/node_modules/${name}`] = fs.readFileSync(path.join(MODULES, name));
  return bodies;
}

/// What an application's backend does for Uppy: signs one request of the page.
async function sign(task, url, Bucket, { method, key: Key, uploadId: UploadId, partNumber: PartNumber, form }) {
  const signer = client(task.server, url);
  if (form) return createPresignedPost(signer, { Bucket, Key });
  const object = { Bucket, Key };
  const part = { ...object, UploadId, PartNumber };
  const command = {
    PUT: () => (PartNumber ? new s3.UploadPartCommand(part) : new s3.PutObjectCommand(object)),
    POST: () => (UploadId ? new s3.CompleteMultipartUploadCommand(part) : new s3.CreateMultipartUploadCommand(object)),
    GET: () => new s3.ListPartsCommand(part),
    DELETE: () => new s3.AbortMultipartUploadCommand(part),
  }[method]();
  return { url: await getSignedUrl(signer, command, { expiresIn: 600 }) };
}

class Visit {
  constructor(browser, task, tap, run) {
    Object.assign(this, { browser, task, tap, run, console: [] });
    this.direct = client(task.server, task.server.url);
  }

  async open() {
    const { bucket, page } = this.run;
    this.context = await this.browser.newContext();
    await this.context.addInitScript(SPY);
    this.page = await this.context.newPage();
    this.page.on("console", (message) => this.console.push(message.text()));
    this.page.on("pageerror", (error) => this.console.push(error.message));
    await this.page.exposeFunction("sign", (request) => sign(this.task, this.tap.url, bucket, request));
    await this.page.exposeFunction("unfinished", (count) => this.unfinished(count));
    await this.page.exposeFunction("replaceMap", () => this.replaceMap());
    await this.page.goto(originOf("app", this.task.port));
    await this.page.addScriptTag({ url: `/${page}.js`, type: "module" });
  }

  /// Resolves when the bucket has this number of uploads in parts that are not complete.
  async unfinished(count) {
    const until = Date.now() + 5000;
    for (;;) {
      const { Uploads = [] } = await this.direct.send(new s3.ListMultipartUploadsCommand({ Bucket: this.run.bucket }));
      if (Uploads.length === count) return;
      if (Date.now() > until) throw new Error(`${Uploads.length} uploads are not complete`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  replaceMap() {
    const Body = fs.readFileSync(this.task.map);
    return this.direct.send(new s3.PutObjectCommand({ Bucket: this.run.bucket, Key: "map.pmtiles", Body }));
  }

  async result() {
    const { server } = this.task;
    const { bucket, options, links } = this.run;
    const signed = {};
    for (const key of links) signed[key] = await link(server, this.tap.url, "GET", `${bucket}/${key}`);
    const { region, limited } = server;
    const keys = { region, accessKeyId: server.access_key, secretAccessKey: server.secret_key };
    const session = { region, accessKeyId: limited.access_key, secretAccessKey: limited.secret_key, sessionToken: limited.token };
    const about = { origin: this.tap.url, bucket, url: `${this.tap.url}/${bucket}`, keys, session, links: signed, ...options };
    return this.page.evaluate((about) => run(about), about);
  }

  async close() {
    await this.context?.close();
  }
}

/// Runs one page, and tells what it did until then if it fails.
async function judge(browser, task, tap, run) {
  const visit = new Visit(browser, task, tap, run);
  const told = { name: run.name };
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  const began = Date.now();
  try {
    await visit.open();
    told.result = await Promise.race([visit.result(), late]);
  } catch (error) {
    Object.assign(told, { error: error.message, console: visit.console });
  }
  clearTimeout(timer);
  const noted = (await visit.page?.evaluate(() => globalThis.noted).catch(() => [])) ?? [];
  await visit.close();
  told.seconds = (Date.now() - began) / 1000;
  told.reads = noted.filter(({ url }) => url.startsWith(tap.url)).map(({ method, name }) => ({ method, name }));
  told.exchanges = tap.take();
  return told;
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
withBrowser({ port: task.port, bodies: bundles() }, async (browser) => {
  const taps = {};
  try {
    for (const [head, port] of Object.entries(task.proxies)) taps[head] = await new Tap(port).listen();
    for (const run of task.runs) console.log(JSON.stringify(await judge(browser, task, taps[run.head], run)));
  } finally {
    for (const tap of Object.values(taps)) tap.close();
  }
});
