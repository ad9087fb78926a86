// unzipit: the names in a zip file, and one short file of it.
import { HTTPRangeReader, setOptions, unzip } from "unzipit";

globalThis.run = async ({ url }) => {
  setOptions({ numWorkers: 0, useWorkers: false });
  const { entries } = await unzip(new HTTPRangeReader(`${url}/files.zip`));
  return { names: Object.keys(entries), text: await entries["hello.txt"].text() };
};
