// What is shown is named by the address: #/0/tree/<id>?turn=2&diff=words. Every change of view goes through here.
import { useEffect, useState } from "preact/hooks";

export function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const [collection, view, key] = path.split("/").map(decodeURIComponent);
  return {
    collection: Number.parseInt(collection, 10) || 0,
    view: view || "trees",
    key: key || "",
    query: new URLSearchParams(query || ""),
  };
}

export function address({ collection, view, key = "", query = new URLSearchParams() }) {
  const text = query.toString();
  return `#/${collection}/${view}${key ? `/${encodeURIComponent(key)}` : ""}${text ? `?${text}` : ""}`;
}

/** Another state of a query: null removes a value, an array gives several. */
export function changed(query, changes) {
  const made = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    made.delete(name);
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null && item !== undefined && item !== "") made.append(name, item);
    }
  }
  return made;
}

export function go(route, { replace = false } = {}) {
  const hash = address(route);
  if (hash === location.hash) return;
  if (replace) {
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = hash;
  }
}

export function useRoute() {
  const [route, set] = useState(() => parse(location.hash));
  useEffect(() => {
    const update = () => set(parse(location.hash));
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return route;
}
