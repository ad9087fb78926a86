"use strict";
// The pictures in the documentation: what the page shows when there is something to do.

const path = require("node:path");
const { PHONE } = require("../visit.js");

const QUESTION = { bucket: "photos", origin: "http://app.example.com", method: "PUT", request_headers: "content-type" };

module.exports = {
  "pictures are taken": async (visit) => {
    const { pictures: proxy } = visit.task;
    const headers = { origin: "https://app.example.com", "access-control-request-method": "PUT" };
    for (let sent = 0; sent < 12; sent++) await visit.send(proxy.url, "OPTIONS", "/photos/cat.jpg", headers);
    for (let sent = 0; sent < 3; sent++) await visit.denied(proxy, { origin: "https://shop.example.com" });
    await visit.denied(proxy, { origin: "https://app.example.com", names: "content-type,x-trace" });
    for (let sent = 0; sent < 20; sent++) await visit.send(proxy.url, "GET", "/photos/cat.jpg", { origin: "https://app.example.com" });
    for (let sent = 0; sent < 2; sent++) await visit.send(proxy.url, "GET", "/other/dog.jpg", { origin: "https://app.example.com" });
    const file = (name) => path.join(visit.task.results, name);
    const wide = { viewport: { width: 1280, height: 800 } };
    await visit.open(`${proxy.admin}/status`, wide);
    await visit.picture(file("status.png"), { fullPage: true });
    const url = `${proxy.admin}/status?${new URLSearchParams(QUESTION)}#answer`;
    await visit.open(url, { ...wide, colorScheme: "dark" });
    await visit.current.locator("#answer").screenshot({ path: file("status-answer-dark.png") });
    await visit.open(`${proxy.admin}/status`, { viewport: PHONE });
    await visit.picture(file("status-phone.png"), { fullPage: true });
  },
};
