// geotiff.js: a window of an image, without the rest.
import { fromUrl } from "geotiff";

globalThis.run = async ({ url }) => {
  const tiff = await fromUrl(`${url}/image.tif`);
  const image = await tiff.getImage();
  const [pixels] = await image.readRasters({ window: [10, 300, 12, 302] });
  return { size: [image.getWidth(), image.getHeight()], pixels: Array.from(pixels) };
};
