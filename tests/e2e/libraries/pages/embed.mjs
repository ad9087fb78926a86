// No library: what a page embeds with `crossorigin` set, a font and a module script.
globalThis.run = async ({ url }) => {
  const element = (name, source) => Object.assign(document.createElement(name), { crossOrigin: "anonymous", src: source });
  const image = element("img", `${url}/pixel.png`);
  await image.decode();
  const context = document.createElement("canvas").getContext("2d");
  context.drawImage(image, 0, 0);
  const pixel = Array.from(context.getImageData(0, 0, 1, 1).data);

  const video = element("video", `${url}/sound.wav`);
  await new Promise((resolve, reject) => {
    video.onloadedmetadata = resolve;
    video.onerror = () => reject(new Error(video.error.message));
  });
  const font = await new FontFace("Abel", `url(${url}/font.woff2)`).load();
  const { answer } = await import(`${url}/module.js`);
  return { pixel, seconds: video.duration, font: font.status, answer };
};
