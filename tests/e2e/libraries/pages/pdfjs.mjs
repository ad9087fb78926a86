// PDF.js: one page of a long document, without the rest.
import * as pdf from "pdfjs-dist/build/pdf.mjs";

globalThis.run = async ({ url }) => {
  pdf.GlobalWorkerOptions.workerSrc = "/node_modules/pdfjs-dist/build/pdf.worker.min.mjs";
  const task = pdf.getDocument({ url: `${url}/document.pdf`, disableAutoFetch: true, disableStream: true });
  const page = await (await task.promise).getPage(7);
  const { items } = await page.getTextContent();
  await task.destroy();
  return { text: items.map(({ str }) => str).join("") };
};
