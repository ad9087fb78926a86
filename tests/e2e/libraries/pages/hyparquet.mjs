// hyparquet: a few rows of a Parquet file, by a plain link and by one with a signature.
import { asyncBufferFromUrl, parquetReadObjects } from "hyparquet";

globalThis.run = async ({ url, links }) => {
  const rows = async (url) => {
    const file = await asyncBufferFromUrl({ url });
    const read = await parquetReadObjects({ file, columns: ["number"], rowStart: 50_000, rowEnd: 50_002 });
    return read.map(({ number }) => Number(number));
  };
  return { plain: await rows(`${url}/table.parquet`), signed: await rows(links["table.parquet"]) };
};
