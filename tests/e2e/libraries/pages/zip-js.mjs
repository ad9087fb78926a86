// zip.js: the same as unzipit, by its reader of ranges.
import { configure, HttpRangeReader, TextWriter, ZipReader } from "@zip.js/zip.js";

globalThis.run = async ({ url }) => {
  configure({ useWebWorkers: false });
  const reader = new ZipReader(new HttpRangeReader(`${url}/files.zip`));
  const entries = await reader.getEntries();
  const text = await entries.find(({ filename }) => filename === "hello.txt").getData(new TextWriter());
  await reader.close();
  return { names: entries.map(({ filename }) => filename), text };
};
