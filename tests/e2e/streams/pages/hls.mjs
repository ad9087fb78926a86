// hls.js plays a film to its end.
import Hls from "hls.js";

globalThis.play = async ({ url, speed }) => {
  const video = document.body.appendChild(document.createElement("video"));
  const hls = new Hls();
  const errors = [];
  video.muted = true;
  await new Promise((resolve, reject) => {
    hls.on(Hls.Events.ERROR, (_, { fatal, details, error }) => {
      errors.push(details);
      if (fatal) reject(new Error(`${details}: ${error?.message}`));
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      video.defaultPlaybackRate = video.playbackRate = speed;
      video.play().catch(reject);
    });
    video.onended = resolve;
    hls.loadSource(url);
    hls.attachMedia(video);
  });
  return { errors, time: video.currentTime, duration: video.duration, width: video.videoWidth };
};
