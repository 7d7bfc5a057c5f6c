// The data of a bundle: files that any file server gives out, or a data block in the page itself. What the server
// would answer is computed here.
const ONE_OF = ["state", "task", "dataset", "depth", "pass_rate", "reliability", "origin", "guided", "ended", "difficulty"];
const SOME_OF = ["model", "evidence", "guard", "tag"];

export function files() {
  const block = document.getElementById("data");
  const embedded = block && JSON.parse(block.textContent);
  const kept = new Map();
  const load = (path) => {
    if (!kept.has(path)) {
      kept.set(path, embedded ? (path in embedded ? Promise.resolve(embedded[path]) : Promise.reject(new Error(`${path} is not part of this page.`))) : fetch(`data/${path}`).then((answer) => {
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
        return answer.json();
      }));
    }
    return kept.get(path);
  };
  const lines = async (n) => {
    const { parts } = await load(`${n}/list.json`);
    return (await Promise.all(parts.map((part) => load(`${n}/${part}`)))).flat();
  };
  const inBundle = async (n, key) => {
    const found = (await lines(n)).filter((line) => line.key.startsWith(key) || line.source === key);
    if (found.length !== 1) throw new Error(`${found.length ? "More than one" : "No"} tree has an id that begins with '${key}'.`);
    const whole = found[0].key;
    const { shards } = await load(`${n}/list.json`);
    return (await load(`${n}/trees/${treeFile(whole, shards)}.json`))[whole];
  };
  const without = (what) => async () => {
    throw new Error(`${what} is not part of a bundle.`);
  };
  return {
    isStatic: true,
    library: () => load("library.json"),
    tree: inBundle,
    drawn: without("What was drawn and not kept"),
    exported: async (n, key, name) => {
      const { rows } = await inBundle(n, key);
      if (!rows?.[name]) throw new Error(`The bundle has no rows of ${name} for this tree.`);
      return rows[name];
    },
    live: (n) => load(`${n}/live.json`),
    figures: (n) => load(`${n}/figures.json`),
    marks: (n) => load(`${n}/marks.json`),
    mark: without("Marking"),
    audit: async () => ({ items: [] }),
    auditItem: without("Auditing"),
    judge: without("Auditing"),
    reports: (n) => load(`${n}/reports.json`),
    async trees(n, text) {
      const query = new URLSearchParams(text);
      const all = await lines(n);
      const wanted = query.get("q") ? await matching(load, n, query.get("q")) : null;
      const base = all.map((line, place) => ({ ...line, place })).filter(({ place }) => !wanted || wanted.has(place));
      const filters = [...ONE_OF, ...SOME_OF].filter((name) => query.has(name)).map((name) => [name, new Set(query.getAll(name))]);
      const values = (line, name) => (ONE_OF.includes(name) ? [line.one[name] ?? ""] : (line.some[name] ?? []));
      const passes = (line, except) =>
        filters.every(([name, allowed]) => name === except || values(line, name).some((value) => allowed.has(value)));
      const matched = base.filter((line) => passes(line));
      const facets = {};
      for (const name of [...ONE_OF, ...SOME_OF]) {
        const counts = {};
        for (const line of filters.some(([other]) => other === name) ? base.filter((item) => passes(item, name)) : matched) {
          for (const value of values(line, name)) if (value) counts[value] = (counts[value] || 0) + 1;
        }
        facets[name] = counts;
      }
      const sort = query.get("sort") || "order";
      const number = { depth: (l) => +l.one.depth || 0, pass_rate: (l) => l.rate ?? Infinity, pairs: (l) => l.pairs, length: (l) => l.chars, order: (l) => l.place }[sort.replace("-", "")];
      matched.sort((a, b) => (sort.startsWith("-") ? number(b) - number(a) : number(a) - number(b)) || a.place - b.place);
      const limit = Number(query.get("limit") || 50);
      let offset = Number(query.get("offset") || 0);
      const place = query.get("around") ? matched.findIndex((line) => line.key === query.get("around")) : -1;
      if (place >= 0) offset = Math.floor(place / limit) * limit;
      return {
        matched: matched.length, offset, facets, lines: matched.slice(offset, offset + limit),
        indexed: all.length, total: all.length, whole: true, error: "",
      };
    },
  };
}

/** Numbers of the lines that hold all words: read from the bundle's word lists, one file per beginning. */
async function matching(load, n, text) {
  const words = text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").match(/[\p{L}\p{N}]+\*?/gu) || [];
  const { words: there = [] } = await load(`${n}/list.json`);
  let found = null;
  for (const word of words) {
    const begin = word.replace("*", "");
    const list = there.includes(shard(begin)) ? await load(`${n}/words/${shard(begin)}.json`) : {};
    const hits = new Set(
      Object.entries(list).flatMap(([term, gaps]) => {
        if (word.endsWith("*") ? !term.startsWith(begin) : term !== begin) return [];
        let at = 0;
        return gaps.map((gap) => (at += gap));
      }),
    );
    found = found ? new Set([...found].filter((place) => hits.has(place))) : hits;
  }
  return found ?? new Set();
}

/** Number of the file that holds a tree. */
const treeFile = (key, count) => [...key].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 4294967296, 0) % count;

/** Name of the file with the words that begin like this one. */
export const shard = (word) => [...word.slice(0, 2)].map((c) => (/[a-z0-9]/.test(c) ? c : "_")).join("") || "_";
