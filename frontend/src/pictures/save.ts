/** Taking a picture out: its figures as CSV, the picture itself as PNG (a canvas) or SVG (a graph). */
import { csvOf, type Figures } from "../ui/figures";

/** "DARTS seed 3, Normal" as the name of a file. */
export function fileName(words: readonly (string | number)[], ending: string): string {
  const plain = words.join("-").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return `${plain || "picture"}.${ending}`;
}

export function saveFile(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads it after the click; the next turn is soon enough to let go.
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** With a byte order mark: without it spreadsheets take Greek letters apart. */
export function csvFile(figures: readonly Figures[]): Blob {
  return new Blob(["\ufeff", csvOf(figures)], { type: "text/csv;charset=utf-8" });
}

/** What a graph's parts look like is said in style sheets, which do not travel: written into the copy. */
const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline"];

/** Graphs below each other as one drawing that needs nothing of this page. */
export function svgText(graphs: readonly SVGSVGElement[], background: string): string {
  let height = 0;
  let width = 0;
  const parts = graphs.map((graph) => {
    const copy = graph.cloneNode(true) as SVGSVGElement;
    const [from, to] = [graph, copy].map((root) => [...root.querySelectorAll<SVGElement>("*")]) as [SVGElement[], SVGElement[]];
    from.forEach((element, index) => {
      const style = getComputedStyle(element);
      for (const name of STYLES) {
        const value = style.getPropertyValue(name);
        if (value) to[index]?.style.setProperty(name, value);
      }
    });
    const box = graph.getBoundingClientRect();
    const part = `<g transform="translate(0 ${height})">${copy.innerHTML}</g>`;
    height += Math.round(box.height);
    width = Math.max(width, Math.round(box.width));
    return part;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${background}"/>${parts.join("")}</svg>`;
}

/** Canvases below each other on the page's own ground; null where nothing was drawn. */
async function pngFile(canvases: readonly HTMLCanvasElement[], background: string): Promise<Blob | null> {
  const sheet = document.createElement("canvas");
  sheet.width = Math.max(...canvases.map((canvas) => canvas.width));
  sheet.height = canvases.reduce((sum, canvas) => sum + canvas.height, 0);
  const context = sheet.getContext("2d");
  if (!context || sheet.width === 0 || sheet.height === 0) return null;
  context.fillStyle = background;
  context.fillRect(0, 0, sheet.width, sheet.height);
  let top = 0;
  for (const canvas of canvases) {
    context.drawImage(canvas, 0, top);
    top += canvas.height;
  }
  return new Promise((done) => sheet.toBlob(done, "image/png"));
}

/** The picture that an element holds: its graphs, else its canvases; null where it holds none. */
export async function imageFile(element: Element): Promise<{ content: Blob; ending: "svg" | "png" } | null> {
  const background = getComputedStyle(element).backgroundColor || "#fff";
  const graphs = [...element.querySelectorAll<SVGSVGElement>(".genome-box > svg")];
  if (graphs.length > 0) return { content: new Blob([svgText(graphs, background)], { type: "image/svg+xml" }), ending: "svg" };
  const canvases = [...element.querySelectorAll("canvas")];
  const content = canvases.length > 0 ? await pngFile(canvases, background) : null;
  return content && { content, ending: "png" };
}
