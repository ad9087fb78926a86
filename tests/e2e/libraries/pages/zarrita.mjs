// zarrita: a row of an array in chunks, and of one in shards, whose index is at the end: by HEAD, and by a range that has no start.
import * as zarr from "zarrita";

globalThis.run = async ({ url }) => {
  const row = async (name, options) => {
    const array = await zarr.open.v3(new zarr.FetchStore(`${url}/${name}`, options), { kind: "array" });
    const { data } = await zarr.get(array, [33, zarr.slice(0, 3)]);
    return Array.from(data);
  };
  return {
    chunks: await row("chunks.zarr"),
    shards: await row("shards.zarr"),
    suffix: await row("shards.zarr", { useSuffixRequest: true }),
  };
};
