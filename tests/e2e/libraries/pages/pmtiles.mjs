// PMTiles: a tile, and a tile after the map was replaced, which it sees by its ETag.
import { FetchSource, PMTiles } from "pmtiles";

globalThis.run = async ({ url }) => {
  const map = new PMTiles(new FetchSource(`${url}/map.pmtiles`));
  const first = async (z, x, y) => Array.from(new Uint8Array((await map.getZxy(z, x, y)).data).slice(0, 2));
  const before = await first(0, 0, 0);
  await replaceMap();
  return { before, after: await first(1, 0, 0) };
};
