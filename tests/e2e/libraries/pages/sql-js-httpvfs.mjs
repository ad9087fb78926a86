// sql.js-httpvfs: one row of a database.
import { createDbWorker } from "sql.js-httpvfs";

globalThis.run = async ({ url }) => {
  const config = { serverMode: "full", url: `${url}/rows.sqlite`, requestChunkSize: 4096 };
  const files = ["sqlite.worker.js", "sql-wasm.wasm"].map((name) => `/node_modules/sql.js-httpvfs/dist/${name}`);
  const { db } = await createDbWorker([{ from: "inline", config }], ...files);
  return { rows: await db.query("SELECT text FROM rows WHERE number = 4321") };
};
