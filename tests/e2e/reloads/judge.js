"use strict";
// A page with private images, opened again with new signatures: what arrives at s3cors and at the storage for the second time. Reads a task
// as JSON and writes a line of JSON for each way to serve the images and each way to read them.

const fs = require("node:fs");
const http = require("node:http");
const s3 = require("@aws-sdk/client-s3");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { withBrowser } = require("../browser/launch.js");
const { originOf } = require("../browser/pages.js");
const { client } = require("../browser/objects.js");

const IMAGES = 100;
// Its rules allow the page every header.
const BUCKET = "clients";
// One pixel, and bytes after its end as in a larger image.
const PIXEL = Buffer.concat([
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
    "base64",
  ),
  Buffer.alloc(4096),
]);
// A GET has a preflight only for a header that CORS does not know, as scripts that trace their requests add it.
const READERS = {
  "<img>": { shows: true },
  fetch: { headers: {} },
  "fetch with a header": { headers: { "x-page": "1" } },
};

function key(number) {
  return `reload/${number}.png`;
}

async function store(server) {
  const direct = client(server, server.url);
  const about = { Bucket: BUCKET, ContentType: "image/png", CacheControl: "private, max-age=3600", Body: PIXEL };
  const put = (number) => direct.send(new s3.PutObjectCommand({ Key: key(number), ...about }));
  await Promise.all(Array.from({ length: IMAGES }, (_, number) => put(number)));
}

/// Links as of this time: each second has its own signatures. `shown` replaces scheme and host of what was signed.
function links(server, { signed, shown }, signingDate) {
  const signer = client(server, signed);
  const link = async (number) => {
    const command = new s3.GetObjectCommand({ Bucket: BUCKET, Key: key(number) });
    return (await getSignedUrl(signer, command, { expiresIn: 600, signingDate })).replace(signed, shown);
  };
  return Promise.all(Array.from({ length: IMAGES }, (_, number) => link(number)));
}

/// Passes on what is asked below a path, and serves a page elsewhere. What has passed is counted before the other side can see it.
async function relay(port, target, below = "/") {
  const { hostname, port: to } = new URL(target);
  const agent = new http.Agent({ keepAlive: true });
  const passed = { options: 0, gets: 0, bytes: 0 };
  const server = http.createServer((request, response) => {
    const { method, url: path, headers } = request;
    if (!path.startsWith(below)) {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>a page</title><body>");
      return;
    }
    passed.options += Number(method === "OPTIONS");
    passed.gets += Number(method === "GET");
    const onward = http.request({ agent, hostname, port: to, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on("data", (part) => (passed.bytes += part.length));
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
    agent.destroy();
  };
  return { passed, close, url: `http://127.0.0.1:${server.address().port}` };
}

/// Opens the page, which reads all images; throws unless it gets every one.
async function open(context, origin, urls, reader) {
  const page = await context.newPage();
  await page.goto(origin);
  await page.evaluate(
    ({ urls, reader, length }) => {
      const show = (url) =>
        new Promise((resolve, reject) => {
          const image = document.body.appendChild(new Image());
          image.onload = resolve;
          image.onerror = () => reject(new Error(`not shown: ${url.split("?")[0]}`));
          image.src = url;
        });
      const read = async (url) => {
        const response = await fetch(url, { headers: reader.headers });
        const body = await response.arrayBuffer();
        if (response.status !== 200 || body.byteLength !== length) throw new Error(`not read: ${response.status}`);
      };
      return Promise.all(urls.map(reader.shows ? show : read)).then(() => undefined);
    },
    { urls, reader, length: PIXEL.length },
  );
  await page.close();
}

async function measure(browser, server, way, storage, reader) {
  // Each has a cache of its own.
  const context = await browser.newContext();
  const counted = async (signingDate) => {
    const before = [{ ...way.relay.passed }, { ...storage.passed }];
    await open(context, way.origin, await links(server, way, signingDate), reader);
    const since = (now, then) => Object.fromEntries(Object.keys(now).map((name) => [name, now[name] - then[name]]));
    return { s3cors: since(way.relay.passed, before[0]), storage: since(storage.passed, before[1]) };
  };
  const now = Date.now();
  const first = await counted(new Date(now - 60_000));
  const again = await counted(new Date(now));
  await context.close();
  return { first, again };
}

async function judge(browser, { server, port, application, storage: at, s3cors }, relays) {
  const started = async (...about) => relays[relays.push(await relay(...about)) - 1];
  await store(server);
  const storage = await started(at, server.url);
  const elsewhere = async (target) => {
    const front = await started(0, target);
    return { relay: front, signed: front.url, shown: front.url, origin: originOf("app", port) };
  };
  const own = originOf("app", application);
  const ways = {
    plain: await elsewhere(s3cors.plain),
    kept: await elsewhere(s3cors.kept),
    // The application's own server, which passes on what is below a path.
    own: {
      relay: await started(application, s3cors.own, "/storage/"),
      signed: server.url,
      shown: `${own}/storage`,
      origin: own,
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    for (const [read, reader] of Object.entries(READERS)) {
      const seen = await measure(browser, server, way, storage, reader);
      console.log(JSON.stringify({ way: name, read, images: IMAGES, size: PIXEL.length, ...seen }));
    }
  }
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
withBrowser({ port: task.port }, async (browser) => {
  const relays = [];
  try {
    await judge(browser, task, relays);
  } finally {
    for (const each of relays) each.close();
  }
});
