"use strict";
// Reads a task as JSON, carries out random requests in Chromium, and writes a line of JSON for each in which Chromium does something
// else than s3cors says. The last line counts.

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { withBrowser } = require("../browser/launch.js");
const { Random, request, rules } = require("./random.js");
const { KNOWN, headersOf, listen, urlOf } = require("./upstream.js");

const BUCKETS = 300;
// So many requests of a page are under way at a time.
const BATCH = 100;
// What a page of the same origin sees besides: what a connection needs, and what s3cors adds.
const OTHERS = /^(connection|keep-alive|transfer-encoding|access-control-.*)$/;
// What Chromium's developer tools call the reasons.
const REASONS = {
  PreflightMissingAllowOriginHeader: "preflight: not_allowed",
  PreflightWildcardOriginNotAllowed: "preflight: any_origin_with_credentials",
  MissingAllowOriginHeader: "response: not_allowed",
  WildcardOriginNotAllowed: "response: any_origin_with_credentials",
};
const PATIENCE = 5000;
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

/// The pages that make requests, by name: their origins, and where they are.
function pagesOf({ port }, hosts) {
  const at = (origin, file = "/") => ({ origin, url: origin + file });
  return {
    app: at(`http://app.localhost:${port}`),
    shop: at(`http://shop.localhost:${port}`),
    site: at("http://app.example"),
    deep: at("http://one.app.example"),
    sandboxed: { origin: "null", url: "http://app.example/sandboxed" },
    // Served by s3cors, like what it requests.
    own: at(hosts[0], "/page"),
  };
}

/// The patterns of rules: the origins of pages, wildcards that match some of them, and what matches none.
function patterns(pages, port) {
  const origins = Object.values(pages).map(({ origin }) => origin);
  return [...origins, `http://*.localhost:${port}`, "http://*.example", "http://app.*", "http://*", "https://*", "http://other.example"];
}

function ask(admin, target, method = "GET") {
  return new Promise((resolve, reject) => {
    const asked = http.request(`http://${admin}${target}`, { agent, method }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${target}: ${answer.statusCode} ${text}`))));
    });
    asked.on("error", reject).end();
  });
}

/// What s3cors says about a case.
async function predict(admin, page, planned) {
  const [first, ...others] = planned.targets;
  const query = new URLSearchParams({
    bucket: first.bucket,
    target: first.host,
    origin: page.origin,
    method: planned.method,
    mode: planned.mode,
    credentials: planned.credentials,
    redirect_status: planned.redirect,
    read: [...KNOWN, "vary"].join(","),
  });
  for (const { host, bucket } of others) query.append("redirect", `${host}/${bucket}`);
  for (const [name, value] of planned.headers) query.append("header", `${name}: ${value}`);
  return JSON.parse(await ask(admin, `/api/explain?${query}`)).browser;
}

/// Carries out requests in a page.
function carryOut(requests) {
  const one = async ({ id, url, options }) => {
    let request;
    try {
      request = new Request(url, options);
    } catch {
      return { id, verdict: "throws" };
    }
    try {
      const response = await fetch(request);
      await response.text().catch(() => {});
      if (response.type === "opaque") return { id, verdict: "opaque" };
      return { id, verdict: "reads", status: response.status, headers: [...response.headers.keys()] };
    } catch (error) {
      return { id, verdict: "fails", message: error.message };
    }
  };
  return Promise.all(requests.map(one));
}

/// Whether the response is the upstream's: s3cors responds to OPTIONS itself, and Node.js rejects a method that it does not know.
function isRelayed(method) {
  return method !== "OPTIONS" && http.METHODS.includes(method);
}

/// What the page must have got, if the prediction is right.
function expected(planned, prediction, hasRules) {
  const { verdict, readable, steps, stage, cause } = prediction;
  const sent = steps.filter((step) => step.sent && isRelayed(step.method)).map(({ method }) => method);
  const preflights = steps.flatMap(({ preflight }) => (preflight ? [preflight.request_headers ?? ""] : []));
  if (stage) return { verdict: "fails", reason: `${stage}: ${cause}`, sent, preflights };
  if (verdict !== "reads" || !isRelayed(steps.at(-1).method)) return { verdict, sent, preflights };
  const there = [...Object.keys(headersOf(planned.status)).filter((name) => KNOWN.includes(name)), "date", ...(hasRules ? ["vary"] : [])];
  const headers = there.filter((name) => readable[name]).sort();
  return { verdict, status: planned.status, headers, sent, preflights };
}

/// What the page got, as far as it can be compared.
function seen({ verdict, status, headers }, prediction, sent, { preflights, reason }) {
  if (verdict === "fails") return { verdict, reason, sent, preflights };
  if (verdict !== "reads" || !isRelayed(prediction.steps.at(-1)?.method)) return { verdict, sent, preflights };
  return { verdict, status, headers: headers.filter((name) => !OTHERS.test(name)).sort(), sent, preflights };
}

/// Opens a page. `traffic` gets the preflights that its requests cause, and why they fail.
async function open(browser, url, traffic) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const cases = new Map();
  session.on("Network.requestWillBeSent", ({ requestId, type, request }) => {
    const about = traffic[new URL(request.url).pathname.split("/")[2]];
    if (about === undefined) return;
    if (type === "Fetch") cases.set(requestId, about);
    else about.preflights.push(request.headers["Access-Control-Request-Headers"] ?? "");
  });
  session.on("Network.loadingFailed", ({ requestId, corsErrorStatus, errorText }) => {
    const about = cases.get(requestId);
    if (about !== undefined) about.reason = REASONS[corsErrorStatus?.corsError] ?? corsErrorStatus?.corsError ?? errorText;
  });
  await session.send("Network.enable");
  await page.goto(url);
  return page;
}

/// The page's error comes before the developer tools say why.
async function eventually(condition) {
  const until = Date.now() + PATIENCE;
  while (!condition() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function carryOutAll(browser, pages, cases) {
  const results = [];
  const traffic = cases.map(() => ({ preflights: [] }));
  const ofPage = async (name) => {
    const page = await open(browser, pages[name].url, traffic);
    const wanted = cases.map((planned, id) => ({ planned, id })).filter(({ planned }) => planned.page === name);
    for (let first = 0; first < wanted.length; first += BATCH) {
      const requests = wanted.slice(first, first + BATCH).map(({ planned, id }) => {
        const { method, mode, credentials, headers } = planned;
        const body = ["POST", "PUT"].includes(method.toUpperCase()) ? "a body" : undefined;
        return { id, url: urlOf(planned, id, 0), options: { method, mode, credentials, headers, body } };
      });
      for (const result of await page.evaluate(carryOut, requests)) results[result.id] = result;
    }
  };
  await Promise.all(Object.keys(pages).map(ofPage));
  await eventually(() => results.every(({ id, verdict }) => verdict !== "fails" || traffic[id].reason));
  return { results, traffic };
}

/// Writes the documents of most buckets; the others have none.
async function writeRules({ rules: folder, admin }, random, patterns) {
  const buckets = Array.from({ length: BUCKETS }, (_, number) => `bucket-${number}`);
  const withRules = buckets.filter(() => !random.once(20));
  for (const name of withRules) fs.writeFileSync(path.join(folder, `${name}.json`), rules(random, patterns));
  const { result, errors } = JSON.parse(await ask(admin, "/-/reload", "POST"));
  if (result !== "applied") throw new Error(`the rules are not live: ${JSON.stringify(errors)}`);
  return { buckets, withRules: new Set(withRules) };
}

async function predictAll(admin, pages, cases) {
  const predictions = [];
  for (let first = 0; first < cases.length; first += BATCH) {
    const some = cases.slice(first, first + BATCH);
    predictions.push(...(await Promise.all(some.map((planned) => predict(admin, pages[planned.page], planned)))));
  }
  return predictions;
}

/// Writes a case in which Chromium does something else than s3cors says, with the rules of its buckets.
function tell(folder, wrong) {
  const files = wrong.planned.targets.map(({ bucket }) => path.join(folder, `${bucket}.json`));
  const documents = files.map((file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null));
  console.log(JSON.stringify({ ...wrong, rules: documents }));
}

async function main(task, browser) {
  const random = new Random(task.seed);
  const s3cors = new URL(task.url).port;
  const hosts = [`http://s3.localhost:${s3cors}`, `http://files.localhost:${s3cors}`, `http://s3.example:${s3cors}`];
  const pages = pagesOf(task, hosts);
  const { buckets, withRules } = await writeRules(task, random, patterns(pages, task.port));
  const cases = Array.from({ length: task.cases }, () => request(random, Object.keys(pages), hosts, buckets));
  const { server, arrived } = await listen(task.upstream, cases);
  try {
    const predictions = await predictAll(task.admin, pages, cases);
    const { results, traffic } = await carryOutAll(browser, pages, cases);
    const wrong = cases.filter((planned, id) => {
      const says = expected(planned, predictions[id], withRules.has(planned.targets.at(-1).bucket));
      const does = seen(results[id], predictions[id], arrived[id], traffic[id]);
      const isWrong = JSON.stringify(says) !== JSON.stringify(does);
      if (isWrong) tell(task.rules, { id, page: pages[planned.page].origin, planned, says, does, why: predictions[id].why });
      return isWrong;
    });
    const verdicts = {};
    for (const { verdict } of predictions) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    console.log(JSON.stringify({ cases: cases.length, wrong: wrong.length, verdicts }));
  } finally {
    server.close();
    server.closeAllConnections();
    agent.destroy();
  }
}

const task = JSON.parse(fs.readFileSync(0, "utf8"));
// The names of pages without a port lead to their server, and every other one to this machine.
const resolve = `MAP *.example:80 127.0.0.1:${task.port}, MAP *.example 127.0.0.1`;
withBrowser({ port: task.port, further: [`--host-resolver-rules=${resolve}`] }, (browser) => main(task, browser));
