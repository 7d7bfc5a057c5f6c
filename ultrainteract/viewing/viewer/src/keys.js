// Keys: a view names what each does while it is shown; `?` lists them all.
import { useEffect } from "preact/hooks";

const handlers = new Map();

export function useKeys(keys, dependencies) {
  useEffect(() => {
    for (const [key, action] of Object.entries(keys)) handlers.set(key, action);
    return () => {
      for (const [key, action] of Object.entries(keys)) if (handlers.get(key) === action) handlers.delete(key);
    };
  }, dependencies);
}

const writes = (element) => element.isContentEditable || /^(input|textarea|select)$/i.test(element.tagName);

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (writes(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const action = handlers.get(event.key);
  if (action && !(event.key === "Enter" && /^(a|button|summary)$/i.test(event.target.tagName))) {
    event.preventDefault();
    action(event);
  }
});

export const LISTED = [
  ["Everywhere", [["?", "these keys"], ["/", "search"], ["g", "overview"], ["l", "list"], ["n", "next collection"], ["y", "light, dark"]]],
  ["List", [["j k", "next, previous line"], ["Enter", "open it"], ["] [", "next, previous page"], ["f", "show or hide filters"]]],
  ["Tree", [["j k", "next, previous tree"], ["→ ←", "next, previous turn"], ["Home End", "first, last turn"], ["d", "word differences"], ["r", "raw or rendered"], ["e", "expand or collapse all"], ["h", "shared history"], ["1 … 4", "tree, samples drawn, as exported, record"], ["b", "beside the other collection"], ["Esc", "back to the list"]]],
  ["Review", [["c w", "take the correct, the wrong action"], ["m", "mark it"], ["1 2 3", "in an audit: right, wrong, cannot tell"]]],
];
