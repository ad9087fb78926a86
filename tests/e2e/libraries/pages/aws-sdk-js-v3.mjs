// The AWS SDK for JavaScript with its defaults: an object whole and then a range of it, metadata; and with `multipart`, an upload in
// parts and one that is aborted.
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const PART = 5 * 1024 * 1024;

globalThis.run = async ({ origin, bucket: Bucket, keys, multipart }) => {
  const { region, ...credentials } = keys;
  const client = new S3Client({ endpoint: origin, region, credentials, forcePathStyle: true, maxAttempts: 1 });
  const text = async (about) => (await client.send(new GetObjectCommand({ Bucket, Key: "text.txt", ...about }))).Body.transformToString();
  const done = { whole: (await text()).length, range: await text({ Range: "bytes=10-19" }) };
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: "text.txt" }));
  done.length = head.ContentLength;
  const put = await client.send(new PutObjectCommand({ Bucket, Key: "put.txt", Body: "put", ContentType: "text/x-test" }));
  done.etags = [head, put].map(({ ETag }) => ETag !== undefined);
  if (!multipart) return done;

  const upload = (Key, length) => {
    const params = { Bucket, Key, Body: new Uint8Array(length), ContentType: "text/x-test" };
    return new Upload({ client, params, partSize: PART, queueSize: 1 });
  };
  done.parts = (await upload("parts.bin", PART + 1000).done()).Key;
  const aborted = upload("aborted.bin", 2 * PART);
  const first = new Promise((resolve) => aborted.once("httpUploadProgress", resolve));
  const ended = aborted.done().catch(({ name }) => name);
  await first;
  await aborted.abort();
  done.aborted = await ended;
  await unfinished(0);
  await client.send(new DeleteObjectCommand({ Bucket, Key: "put.txt" }));
  return done;
};
