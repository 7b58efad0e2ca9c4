/** A canvas that writes down what is drawn on it: happy-dom draws nothing. Sizes, frames and reduced motion as a browser has them. */
import { vi } from "vitest";

export const WIDTH = 640;
export const HEIGHT = 420;

/** What each canvas shows: the calls and settings since it was cleared last, numbers to a hundredth of a pixel. */
const drawings = new WeakMap<HTMLCanvasElement, string[]>();

const written = (value: unknown): string =>
  // What is drawn of another canvas is what that one shows.
  value instanceof HTMLCanvasElement ? `[${(drawings.get(value) ?? []).join(";")}]` : typeof value === "number" ? value.toFixed(2) : typeof value === "string" ? value : Array.isArray(value) ? value.map(written).join(" ") : value instanceof Path ? value.calls.join(";") : "";

/** uPlot draws by paths. */
class Path {
  calls: string[] = [];
  constructor() {
    return new Proxy(this, { get: (self, name) => (name === "calls" ? self.calls : (...args: unknown[]) => void self.calls.push(`${String(name)} ${args.map(written).join(" ")}`)) });
  }
}

function contextOf(canvas: HTMLCanvasElement): object {
  const calls: string[] = [];
  drawings.set(canvas, calls);
  return new Proxy(
    {},
    {
      get: (_, name) => {
        if (name === "canvas") return canvas;
        if (name === "measureText") return (text: string) => ({ width: 6 * text.length });
        return (...args: unknown[]) => {
          if (name === "clearRect") calls.length = 0;
          else calls.push(`${String(name)} ${args.map(written).join(" ")}`);
        };
      },
      set: (_, name, value) => {
        calls.push(`${String(name)} = ${written(value)}`);
        return true;
      },
    },
  );
}

/** Everything that a piece of a page shows: what is drawn, what is written, what is said to those who do not see. */
export function shownBy(element: Element): string {
  const canvases = [...element.querySelectorAll("canvas")].map((canvas) => (drawings.get(canvas) ?? []).join("\n"));
  return [element.innerHTML, ...canvases].join("\n");
}

/** How much is drawn on the canvases of a piece of a page. */
export function drawnBy(element: Element): string[] {
  return [...element.querySelectorAll("canvas")].flatMap((canvas) => drawings.get(canvas) ?? []);
}

export function recordCanvases(): void {
  const contexts = new WeakMap<HTMLCanvasElement, object>();
  HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement) {
    let context = contexts.get(this);
    if (!context) contexts.set(this, (context = contextOf(this)));
    return context;
  } as never;
  for (const [name, size] of [["clientWidth", WIDTH], ["clientHeight", HEIGHT]] as const) Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => size });
  vi.stubGlobal("Path2D", Path);
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private readonly tell: () => void) {}
      // A browser tells the first size after the present task.
      observe = () => queueMicrotask(this.tell);
      unobserve = () => undefined;
      disconnect = () => undefined;
    },
  );
  const media = window.matchMedia.bind(window);
  window.matchMedia = (query) => (query.includes("reduced-motion") ? ({ ...media(query), matches: true } as MediaQueryList) : media(query));
}
