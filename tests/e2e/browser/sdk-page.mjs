// What clients/operations.py asks of every client, by the AWS SDK for JavaScript in a page.

import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

function connect({ url, region, accessKeyId, secretAccessKey }) {
  return new s3.S3Client({
    endpoint: url,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
    // Chromium answers a range from an object that it keeps, with that object's checksum, if the object is old enough to be kept a moment.
    requestHandler: { cache: "no-store" },
  });
}

/// As `digest` in clients/operations.py.
async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${bytes.byteLength} bytes, sha256 ${hex.slice(0, 16)}`;
}

/// An answer without what its head has beside the status.
async function plain(answer) {
  const { $metadata, Body, ...rest } = answer;
  const said = { status: $metadata.httpStatusCode, ...rest };
  if (Body) said.Body = await digest(await Body.transformToByteArray());
  return said;
}

async function fetched(url, options) {
  const answer = await fetch(url, options);
  const body = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok) throw Object.assign(new Error(new TextDecoder().decode(body)), { name: `${answer.status}` });
  return `${answer.status} ${await digest(body)}`;
}

function operations({ server, names, content, large, small }) {
  const client = connect(server);
  const { bucket: Bucket, key: Key } = names;
  const send = async (command) => plain(await client.send(command));
  return {
    upload: () =>
      send(new s3.PutObjectCommand({ Bucket, Key, Body: content, ContentType: "text/x-test", Metadata: { note: "a b" } })),
    list: () => send(new s3.ListObjectsV2Command({ Bucket, Prefix: "notes/", MaxKeys: 10 })),
    head: () => send(new s3.HeadObjectCommand({ Bucket, Key })),
    download: () => send(new s3.GetObjectCommand({ Bucket, Key })),
    range: () => send(new s3.GetObjectCommand({ Bucket, Key, Range: `bytes=${names.range.join("-")}` })),
    copy: () =>
      send(new s3.CopyObjectCommand({ Bucket, Key: names.copy, CopySource: `${Bucket}/${encodeURIComponent(Key)}` })),
    multipart: async () =>
      plain(await new Upload({ client, params: { Bucket, Key: names.large, Body: large }, partSize: names.part }).done()),
    presigned_get: async () => fetched(await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key }))),
    presigned_put: async () =>
      fetched(await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: names.presigned })), {
        method: "PUT",
        body: small,
      }),
    post_form: async () => {
      const { url, fields } = await createPresignedPost(client, { Bucket, Key: names.form });
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append("file", new Blob([small]), "form.txt");
      return fetched(url, { method: "POST", body: form });
    },
    missing: () => send(new s3.GetObjectCommand({ Bucket, Key: names.missing })),
    forbidden: async () =>
      plain(await connect({ ...server, secretAccessKey: "wrong" }).send(new s3.GetObjectCommand({ Bucket, Key }))),
    delete: () => send(new s3.DeleteObjectCommand({ Bucket, Key })),
  };
}

/// Carries out all of them in turn: what the SDK says to each, and whether it was an answer or an error. What is to be sent comes from
/// the page's own server.
globalThis.carryOut = async (task) => {
  const bytes = async (name) => new Uint8Array(await (await fetch(`/${name}`)).arrayBuffer());
  const [content, large, small] = await Promise.all(["content", "large", "small"].map(bytes));
  const said = {};
  for (const [name, operation] of Object.entries(operations({ ...task, content, large, small }))) {
    try {
      said[name] = { done: true, text: await operation() };
    } catch (error) {
      said[name] = { done: false, text: `${error.name}: ${error.message}` };
    }
  }
  return said;
};
