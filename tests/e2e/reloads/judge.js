"use strict";
// A page with private images, opened twice with new signatures: what the browser asks for the second time. Reads a task as JSON and writes
// one line of JSON for each way to serve the images.

const fs = require("node:fs");
const http = require("node:http");
const s3 = require("@aws-sdk/client-s3");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { withBrowser } = require("../browser/launch.js");
const { originOf } = require("../browser/pages.js");
const { client } = require("../browser/objects.js");

const IMAGES = 100;
const BUCKET = "web";
// One pixel, and bytes after its end, so that a response that is loaded again is seen in the count of bytes.
const PIXEL = Buffer.concat([
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
    "base64",
  ),
  Buffer.alloc(4096),
]);
// A header of the page's own, as scripts that trace requests add it: to another origin it costs a preflight for each URL.
const OF_THE_PAGE = { "x-page": "1" };

function key(number) {
  return `reload/${number}.png`;
}

async function store(server) {
  const direct = client(server, server.url);
  for (let number = 0; number < IMAGES; number += 1) {
    const about = { ContentType: "image/png", CacheControl: "private, max-age=3600", Body: PIXEL };
    await direct.send(new s3.PutObjectCommand({ Bucket: BUCKET, Key: key(number), ...about }));
  }
}

/// New signatures: those of another second. `shown` is what replaces scheme and host of what was signed.
function links(server, { signed, shown }, signingDate) {
  const signer = client(server, signed);
  const link = async (number) => {
    const command = new s3.GetObjectCommand({ Bucket: BUCKET, Key: key(number) });
    return (await getSignedUrl(signer, command, { expiresIn: 600, signingDate })).replace(signed, shown);
  };
  return Promise.all(Array.from({ length: IMAGES }, (_, number) => link(number)));
}

async function sum(admin, name, label = "") {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const series = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
  return series.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
}

async function counts(admin) {
  const [options, gets, bytes] = await Promise.all([
    sum(admin, "s3cors_decisions_total{", 'kind="preflight"'),
    sum(admin, "s3cors_http_requests_total{", 'method="GET"'),
    sum(admin, "s3cors_http_response_bytes_total"),
  ]);
  return { options, gets, bytes };
}

/// Opens the page, which shows each image and fetches it. Images of another origin need `crossorigin`, so that script may read them. On the own
/// origin that attribute would send an `Origin`, which `fetch` sends not: by `Vary: Origin` the cache would ask again for each.
async function open(context, { origin, isOwn }, urls) {
  const page = await context.newPage();
  await page.goto(origin);
  await page.evaluate(
    async ({ urls, headers, isOwn }) => {
      const show = (url) =>
        new Promise((resolve, reject) => {
          const image = document.body.appendChild(new Image());
          if (!isOwn) image.crossOrigin = "anonymous";
          image.onload = resolve;
          image.onerror = () => reject(new Error(`not shown: ${url.split("?")[0]}`));
          image.src = url;
        });
      await Promise.all(urls.map(show));
      const read = async (url) => (await fetch(url, { headers })).arrayBuffer();
      await Promise.all(urls.map(read));
    },
    { urls, headers: OF_THE_PAGE, isOwn },
  );
  await page.close();
}

/// The application's own server: its page, and the storage below a path.
async function serveApplication(port, s3cors) {
  const [host, storage] = s3cors.split(":");
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith("/storage/")) {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>a page</title><body>");
      return;
    }
    const { method, url: path, headers } = request;
    const onward = http.request({ host, port: storage, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return server;
}

async function measure(browser, task, way) {
  const context = await browser.newContext();
  const now = Date.now();
  const [first, second] = await Promise.all([now - 60_000, now].map((at) => links(task.server, way, new Date(at))));
  await open(context, way, first);
  const before = await settled(way.admin, IMAGES);
  await open(context, way, second);
  const after = await settled(way.admin, way.isKept ? IMAGES : 2 * IMAGES);
  await context.close();
  return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
}

/// The counts once there are so many GETs and no more come: a request is counted after its response.
async function settled(admin, gets) {
  let last = await counts(admin);
  for (let polls = 0; polls < 100; polls += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const next = await counts(admin);
    if (next.gets >= gets && JSON.stringify(next) === JSON.stringify(last)) break;
    last = next;
  }
  return last;
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
withBrowser({ port: task.port }, async (browser) => {
  await store(task.server);
  const application = await serveApplication(task.application, task.own.address);
  const page = originOf("app", task.port);
  const elsewhere = ({ url, admin }, isKept) => ({ signed: url, shown: url, admin, origin: page, isKept, isOwn: false });
  const own = originOf("app", task.application);
  const ways = {
    "another origin": elsewhere(task.plain, false),
    "another origin, No-Vary-Search": elsewhere(task.kept, true),
    "the own origin, No-Vary-Search": {
      signed: task.server.url,
      shown: `${own}/storage`,
      admin: task.own.admin,
      origin: own,
      isKept: true,
      isOwn: true,
    },
  };
  try {
    for (const [name, way] of Object.entries(ways)) {
      console.log(JSON.stringify({ name, images: IMAGES, reload: await measure(browser, task, way) }));
    }
  } finally {
    // Also after a failure: the program would not end while it listens.
    application.close();
  }
});
