// Uppy: a file in one piece, by a form, in parts, resumed after a pause, and cancelled. `sign` is the application's backend.
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";

const PART = 5 * 1024 * 1024;

function uploader(options) {
  const uppy = new Uppy({ autoProceed: false });
  uppy.use(AwsS3, { getChunkSize: () => PART, generateObjectKey: ({ name }) => name, ...options });
  return uppy;
}

async function finished(uppy) {
  const { successful, failed } = await uppy.upload();
  if (failed.length > 0) throw new Error(`${failed[0].name}: ${failed[0].error}`);
  return successful.length;
}

function add(uppy, name, size) {
  const data = new Blob([new Uint8Array(size).fill(7)], { type: "application/x-test" });
  return uppy.addFile({ name, type: data.type, data });
}

function once(uppy, event) {
  return new Promise((resolve) => uppy.once(event, resolve));
}

globalThis.run = async ({ url }) => {
  const signRequest = (request) => sign(request);
  const whole = uploader({ shouldUseMultipart: false, signRequest });
  add(whole, "whole.bin", 1000);
  const form = uploader({ shouldUseMultipart: false, signRequest: (request) => sign({ ...request, form: true }) });
  add(form, "form.bin", 1000);
  const parts = uploader({ shouldUseMultipart: true, signRequest });
  add(parts, "parts.bin", PART + 1000);
  const done = { whole: await finished(whole), form: await finished(form), parts: await finished(parts) };

  const paused = uploader({ shouldUseMultipart: true, signRequest });
  const id = add(paused, "resumed.bin", PART + 1000);
  const part = once(paused, "s3-multipart:part-uploaded");
  const resumed = finished(paused);
  await part;
  paused.pauseResume(id);
  paused.pauseResume(id);
  done.resumed = await resumed;

  const cancelled = uploader({ shouldUseMultipart: true, signRequest });
  add(cancelled, "cancelled.bin", 2 * PART);
  const first = once(cancelled, "s3-multipart:part-uploaded");
  cancelled.upload().catch(() => {});
  await first;
  cancelled.cancelAll();
  await unfinished(0);
  return done;
};
