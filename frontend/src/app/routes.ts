/** Which address shows which page. */

export type Route =
  | { page: "home" }
  | { page: "new" }
  | { page: "architecture" }
  | { page: "experiments" }
  | { page: "open" }
  | { page: "experiment"; id: string }
  | { page: "run"; id: string }
  | { page: "models" }
  | { page: "model"; id: string }
  | { page: "data" }
  | { page: "dataset"; id: string }
  | { page: "explore" }
  | { page: "atlas" }
  | { page: "atlas-entry"; id: string }
  | { page: "workers" }
  | { page: "account" }
  | { page: "login" }
  | { page: "not-found"; path: string };

const PLAIN = ["new", "architecture", "experiments", "open", "models", "data", "explore", "atlas", "workers", "account", "login"] as const;

/** The route of a path; unknown paths give "not-found". */
export function routeOf(path: string): Route {
  const parts = path.split("/").filter(Boolean);
  const [first, second, ...rest] = parts;
  if (first === undefined) return { page: "home" };
  if (second === undefined) {
    const page = PLAIN.find((name) => name === first);
    return page ? { page } : { page: "not-found", path };
  }
  if (rest.length === 0) {
    const id = decodeURIComponent(second);
    if (first === "experiments") return { page: "experiment", id };
    if (first === "data") return { page: "dataset", id };
    if (first === "atlas") return { page: "atlas-entry", id };
    if (first === "runs") return { page: "run", id };
    if (first === "models") return { page: "model", id };
  }
  return { page: "not-found", path };
}

/** Addresses of pages, so that no component spells one out. */
export const paths = {
  home: "/",
  experiments: "/experiments",
  open: "/open",
  models: "/models",
  model: (id: string) => `/models/${encodeURIComponent(id)}`,
  data: "/data",
  dataset: (id: string) => `/data/${encodeURIComponent(id)}`,
  explore: "/explore",
  explorePanel: (panel: string) => `/explore?${new URLSearchParams({ panel }).toString()}`,
  atlas: "/atlas",
  atlasEntry: (id: string) => `/atlas/${encodeURIComponent(id)}`,
  workers: "/workers",
  account: "/account",
  login: "/login",
  experiment: (id: string) => `/experiments/${encodeURIComponent(id)}`,
  run: (id: string) => `/runs/${encodeURIComponent(id)}`,
  /** With a picture opened, in whichever panel it belongs to. */
  runPicture: (id: string, picture: string) => `/runs/${encodeURIComponent(id)}?${new URLSearchParams({ view: picture, tried: picture }).toString()}`,
  architecture: ({ options, ...query }: { text?: string; space?: string; options?: Record<string, unknown>; genome?: string } = {}) => {
    const all = { ...query, options: options && Object.keys(options).length > 0 ? JSON.stringify(options) : "" };
    const text = new URLSearchParams(Object.entries(all).filter(([, value]) => value)).toString();
    return text ? `/architecture?${text}` : "/architecture";
  },
  /** `architecture`: its text (views/architecture/address), of that space with those options as JSON; `use`: to train it, or to start from. */
  newExperiment: (query: { run?: string; experiment?: string; preset?: string; dataset?: string; algorithm?: string; model?: string; population?: string; architecture?: string; space?: string; options?: string; use?: "train" | "start" } = {}) => {
    const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
    return text ? `/new?${text}` : "/new";
  },
};
