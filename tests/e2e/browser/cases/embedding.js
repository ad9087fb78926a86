"use strict";
// What a page embeds: fonts and modules, which are always loaded with CORS, and images, which are when the page says so.

const assert = require("node:assert/strict");

const RED = [255, 0, 0, 255];

function loadFont(page, url) {
  return page.evaluate(async (url) => {
    const font = await new FontFace("Abel", `url(${JSON.stringify(url)})`).load();
    return font.status;
  }, url);
}

function importModule(page, url) {
  return page.evaluate(async (url) => (await import(url)).answer, url);
}

/// The colour of an image's only pixel, read back from a canvas.
function readImage(page, url, crossOrigin) {
  return page.evaluate(
    async ({ url, crossOrigin }) => {
      const image = new Image();
      image.crossOrigin = crossOrigin;
      await new Promise((resolve, reject) => {
        image.onload = resolve;
        image.onerror = () => reject(new Error("the image was not loaded"));
        image.src = url;
      });
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.drawImage(image, 0, 0);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    },
    { url, crossOrigin },
  );
}

module.exports = {
  "a font is loaded by an allowed origin only": async (scene) => {
    const url = await scene.link("web/font.woff2");
    assert.equal(await loadFont(await scene.open("app"), url), "loaded");
    await assert.rejects(loadFont(await scene.open("evil"), url), /NetworkError/);
    await scene.says(/Access to font at .* blocked by CORS policy/);
  },

  "a module is imported by an allowed origin only": async (scene) => {
    const url = await scene.link("web/module.js");
    assert.equal(await importModule(await scene.open("app"), url), 42);
    await assert.rejects(importModule(await scene.open("evil"), url), /Failed to fetch dynamically imported module/);
    await scene.says(/Access to script at .* blocked by CORS policy/);
  },

  "an image with crossorigin can be read back from a canvas": async (scene) => {
    const url = await scene.link("web/pixel.png");
    assert.deepEqual(await readImage(await scene.open("app"), url, "anonymous"), RED);
    assert.deepEqual(await readImage(await scene.open("app"), url, "use-credentials"), RED);
    await assert.rejects(readImage(await scene.open("evil"), url, "anonymous"), /the image was not loaded/);
    await scene.says(/Access to image at .* blocked by CORS policy/);
  },

  "an image without it is shown everywhere and read nowhere": async (scene) => {
    const url = await scene.link("web/pixel.png");
    for (const origin of ["app", "evil"]) {
      await assert.rejects(readImage(await scene.open(origin), url, null), /tainted by cross-origin data/);
    }
  },
};
