// Notes which response headers a script asks for: in the page before anything else runs, and at the beginning of each worker's script.
// Every note goes to `noted` of the page, from a worker by a channel. A script that takes all headers is noted with "*".
(() => {
  const channel = new BroadcastChannel("headers that scripts read");
  const inPage = typeof document !== "undefined";
  if (inPage) {
    globalThis.noted = [];
    channel.onmessage = ({ data }) => globalThis.noted.push(data);
  }
  const note = (about, name) => {
    const read = { ...about, name: String(name).toLowerCase() };
    if (inPage) globalThis.noted.push(read);
    else channel.postMessage(read);
  };
  const replace = (prototype, name, by) => {
    const original = prototype[name];
    prototype[name] = function (...given) {
      return by.call(this, () => original.apply(this, given), ...given);
    };
  };

  // Headers that a script makes itself are not noted.
  const received = new WeakMap();
  const originalFetch = globalThis.fetch;
  globalThis.fetch = async function (resource, options) {
    const response = await originalFetch.call(this, resource, options);
    const method = options?.method ?? (resource instanceof Request ? resource.method : "GET");
    received.set(response.headers, { method: method.toUpperCase(), url: response.url });
    return response;
  };
  for (const name of ["get", "has"]) {
    replace(Headers.prototype, name, function (original, header) {
      if (received.has(this)) note(received.get(this), header);
      return original();
    });
  }
  for (const name of ["forEach", "entries", "keys", "values", Symbol.iterator]) {
    replace(Headers.prototype, name, function (original) {
      if (received.has(this)) note(received.get(this), "*");
      return original();
    });
  }

  const opened = new WeakMap();
  replace(XMLHttpRequest.prototype, "open", function (original, method, url) {
    opened.set(this, { method: method.toUpperCase(), url: new URL(url, location.href).href });
    return original();
  });
  replace(XMLHttpRequest.prototype, "getResponseHeader", function (original, header) {
    note(opened.get(this), header);
    return original();
  });
  replace(XMLHttpRequest.prototype, "getAllResponseHeaders", function (original) {
    note(opened.get(this), "*");
    return original();
  });
})();
