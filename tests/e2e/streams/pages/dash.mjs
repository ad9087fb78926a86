// dash.js plays a film to its end.
import * as dashjs from "dashjs";

globalThis.play = async ({ url, speed }) => {
  const video = document.body.appendChild(document.createElement("video"));
  const player = dashjs.MediaPlayer().create();
  const errors = [];
  video.muted = true;
  await new Promise((resolve, reject) => {
    // It has no errors that it goes on after.
    player.on(dashjs.MediaPlayer.events.ERROR, ({ error }) => reject(new Error(`${error.code}: ${error.message}`)));
    player.on(dashjs.MediaPlayer.events.PLAYBACK_ERROR, ({ error }) => reject(new Error(`${error}`)));
    video.onloadedmetadata = () => (video.defaultPlaybackRate = video.playbackRate = speed);
    video.onended = resolve;
    player.initialize(video, url, true);
  });
  return { errors, time: video.currentTime, duration: video.duration, width: video.videoWidth };
};
