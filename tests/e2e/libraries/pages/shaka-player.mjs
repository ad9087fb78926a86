// Shaka Player: the same segments as hls.js; with `cmcd`, what it tells a CDN of itself in headers.
import shaka from "shaka-player";

globalThis.run = async ({ url, cmcd }) => {
  const video = document.body.appendChild(document.createElement("video"));
  const player = new shaka.Player();
  await player.attach(video);
  if (cmcd) player.configure({ cmcd: { enabled: true, useHeaders: true, sessionId: "a-session", contentId: "silence" } });
  let segments = 0;
  const all = new Promise((resolve, reject) => {
    video.addEventListener("error", () => reject(new Error(video.error.message)));
    player.addEventListener("error", ({ detail }) => reject(new Error(`${detail.code}: ${detail.data}`)));
    player.addEventListener("segmentappended", () => ++segments === 2 && resolve());
  });
  await player.load(`${url}/playlist.m3u8`);
  await all;
  await player.destroy();
  return { segments };
};
