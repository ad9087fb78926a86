// DuckDB in the browser: a Parquet file by a plain link, by a link with a signature, and from `s3://` with keys; with `write`, it writes
// one there too.
import * as duckdb from "@duckdb/duckdb-wasm";

globalThis.run = async ({ url, links, origin, bucket, keys, write }) => {
  const files = "/node_modules/@duckdb/duckdb-wasm/dist";
  const database = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), new Worker(`${files}/duckdb-browser-eh.worker.js`));
  await database.instantiate(new URL(`${files}/duckdb-eh.wasm`, location.href).href);
  const reader = await database.connect();
  const query = async (file) => {
    // The last of ten row groups.
    const wanted = `FROM read_parquet('${file}') WHERE number >= 90000`;
    const rows = await reader.query(`SELECT count(*)::INT AS rows, max(number)::INT AS last ${wanted}`);
    return rows.toArray().map(({ rows, last }) => [rows, last])[0];
  };
  const plain = await query(`${url}/table.parquet`);
  const signed = await query(links["table.parquet"]);
  const { region, accessKeyId, secretAccessKey } = keys;
  const settings = { s3_region: region, s3_access_key_id: accessKeyId, s3_secret_access_key: secretAccessKey, s3_endpoint: origin };
  for (const [name, value] of Object.entries(settings)) await reader.query(`SET ${name} = '${value}'`);
  const withKeys = await query(`s3://${bucket}/table.parquet`);
  const done = { plain, signed, withKeys };
  if (write) {
    const file = `s3://${bucket}/written.parquet`;
    await reader.query(`COPY (SELECT 42 AS answer) TO '${file}' (FORMAT parquet)`);
    const rows = await reader.query(`SELECT answer::INT AS answer FROM read_parquet('${file}')`);
    done.written = rows.toArray()[0].answer;
  }
  await database.terminate();
  return done;
};
