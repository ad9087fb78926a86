// aws4fetch: writes an object and reads it, each with a signature of its own, and reads it as a user with a session.
import { AwsClient } from "aws4fetch";

globalThis.run = async ({ url, keys, session }) => {
  const send = async (keys, method, options) => {
    const client = new AwsClient({ ...keys, service: "s3", retries: 0 });
    const response = await client.fetch(`${url}/written.json`, { method, ...options });
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
    return response;
  };
  await send(keys, "PUT", { body: '{"a":1}', headers: { "content-type": "application/json" } });
  return { read: await (await send(keys, "GET")).json(), reader: await (await send(session, "GET")).json() };
};
