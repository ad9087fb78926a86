"use strict";
// What the pages load, stored in the server directly, and links to it.

const fs = require("node:fs");
const path = require("node:path");
const s3 = require("@aws-sdk/client-s3");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const FONT = path.join(process.env.NODE_PATH, "@fontsource/abel/files/abel-latin-400-normal.woff2");
// One pixel, red.
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
  "base64",
);
// More than all buffers between a server and a page that does not read: a socket of Linux may keep 32 MiB.
const LARGE = Buffer.alloc(80 * 1024 * 1024, "large");
const TEXT = "Hello from behind s3cors.";

const OBJECTS = {
  "web/hello.txt": { Body: TEXT, ContentType: "text/plain", Metadata: { note: "for the page", secret: "for others" } },
  "web/pixel.png": { Body: PIXEL, ContentType: "image/png", CacheControl: "max-age=600" },
  "web/module.js": { Body: "export const answer = 42;", ContentType: "text/javascript" },
  "web/font.woff2": { Body: fs.readFileSync(FONT), ContentType: "font/woff2" },
  "web/large.bin": { Body: LARGE, ContentType: "application/octet-stream" },
  "public/hello.txt": { Body: TEXT, ContentType: "text/plain" },
  "bare/hello.txt": { Body: TEXT, ContentType: "text/plain" },
};

function client(server, url) {
  return new s3.S3Client({
    endpoint: url,
    region: server.region,
    credentials: { accessKeyId: server.access_key, secretAccessKey: server.secret_key },
    forcePathStyle: true,
    // A link with a checksum in it is a link for those bytes only.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

function split(name) {
  const [Bucket, ...key] = name.split("/");
  return { Bucket, Key: key.join("/") };
}

async function store(server) {
  const direct = client(server, server.url);
  for (const [name, about] of Object.entries(OBJECTS)) {
    await direct.send(new s3.PutObjectCommand({ ...split(name), ...about }));
  }
}

const COMMANDS = { GET: s3.GetObjectCommand, PUT: s3.PutObjectCommand, DELETE: s3.DeleteObjectCommand };

/// A link to an object at this address, as an application's backend would sign it.
function link(server, url, method, name) {
  return getSignedUrl(client(server, url), new COMMANDS[method](split(name)), { expiresIn: 600 });
}

/// Whether the server has an object; asks it directly.
async function exists(server, name) {
  try {
    await client(server, server.url).send(new s3.HeadObjectCommand(split(name)));
    return true;
  } catch (error) {
    if (error.$metadata?.httpStatusCode === 404) return false;
    throw error;
  }
}

module.exports = { LARGE, TEXT, client, exists, link, store };
