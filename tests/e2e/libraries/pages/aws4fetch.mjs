// aws4fetch: writes an object and reads it, each with a signature of its own.
import { AwsClient } from "aws4fetch";

globalThis.run = async ({ url, keys }) => {
  const client = new AwsClient({ ...keys, service: "s3", retries: 0 });
  const send = async (method, options) => {
    const response = await client.fetch(`${url}/written.json`, { method, ...options });
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
    return response;
  };
  await send("PUT", { body: '{"a":1}', headers: { "content-type": "application/json" } });
  return { read: await (await send("GET")).json() };
};
