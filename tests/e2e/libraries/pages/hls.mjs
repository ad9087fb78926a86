// hls.js: a playlist and two segments that are ranges of one file; with `cmcd`, what it tells a CDN of itself in headers.
import Hls from "hls.js";

globalThis.run = async ({ url, cmcd }) => {
  const video = document.body.appendChild(document.createElement("video"));
  const options = cmcd ? { cmcd: { useHeaders: true, sessionId: "a-session", contentId: "silence" } } : {};
  const hls = new Hls({ enableWorker: false, ...options });
  await new Promise((resolve, reject) => {
    let buffered = 0;
    hls.on(Hls.Events.FRAG_BUFFERED, () => ++buffered === 2 && resolve());
    hls.on(Hls.Events.ERROR, (_, { fatal, details, error }) => fatal && reject(new Error(`${details}: ${error?.message}`)));
    hls.loadSource(`${url}/playlist.m3u8`);
    hls.attachMedia(video);
  });
  const seconds = video.buffered.end(0);
  hls.destroy();
  return { seconds: Math.round(seconds) };
};
