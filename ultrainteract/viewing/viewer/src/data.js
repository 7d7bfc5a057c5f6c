// Where the page gets its data: from the server that sent it, or from the files of a bundle (see files.js).
import { useEffect, useRef, useState } from "preact/hooks";
import { files } from "./files.js";

async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const text = await answer.text();
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error(text.slice(0, 300) || `${answer.status} ${answer.statusText}`);
  }
  if (!answer.ok || found?.error) throw new Error(found?.error || `${answer.status} ${answer.statusText}`);
  return found;
}

let token = "";

const send = async (method, path, value) => {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-Ultrainteract-Page": token },
    body: JSON.stringify(value),
  });
  const found = await answer.json().catch(() => ({ error: `${answer.status} ${answer.statusText}` }));
  if (!answer.ok) throw new Error(found.error || answer.statusText);
  return found;
};

const server = {
  isStatic: false,
  async library() {
    const found = await get("api/library");
    token = found.page;
    return found;
  },
  trees: (n, query) => get(`api/${n}/trees?${query}`),
  tree: (n, key) => get(`api/${n}/tree/${key}`),
  drawn: (n, key) => get(`api/${n}/drawn/${key}`),
  exported: async (n, key, name) => (await get(`api/${n}/exported/${key}/${name}`)).rows,
  live: (n) => get(`api/${n}/live`),
  figures: (n) => get(`api/${n}/figures`),
  marks: (n) => get(`api/${n}/marks`),
  mark: (n, mark) => send("PUT", `api/${n}/marks`, mark),
  audit: (n) => get(`api/${n}/audit`),
  auditItem: (n, place) => get(`api/${n}/audit/${place}`),
  judge: (n, judgment) => send("PUT", `api/${n}/audit`, judgment),
  reports: (n) => get(`api/${n}/reports`),
};

export const data = document.querySelector('meta[name="ultrainteract-data"]') ? files() : server;

/** The value of a promise: {value, error, loading}; the last value stays while the next one is fetched. */
export function useData(make, dependencies) {
  const [state, set] = useState({ loading: true });
  const run = useRef(0);
  useEffect(() => {
    const mine = ++run.current;
    set((before) => ({ ...before, loading: true }));
    Promise.resolve()
      .then(make)
      .then(
        (value) => mine === run.current && set({ value, loading: false }),
        (error) => mine === run.current && set({ error: error.message, loading: false }),
      );
  }, dependencies);
  return state;
}
