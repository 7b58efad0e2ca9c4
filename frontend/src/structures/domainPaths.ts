/** One network searched for several data sets: layers x modules, a path of its own colour for each, shared modules striped in both. */
import { cut } from "../decisions/decisionStage";
import { shortName } from "../graph/palette";
import { Stage, type Point } from "../graph/stage";
import { Tween } from "../graph/tween";
import { decodeFloats } from "../stream/floats";
import { once, type FrameOf } from "../stream/pictures";
import { domainColour, usersOf } from "./domainColours";

const INSET = { left: 30, right: 30, top: 30, bottom: 36 };
const LINE = 4.5;

type DomainPolicy = FrameOf<"domains">["domains"][number];

/** Several data sets' probabilities and paths at one moment; `probabilities` of each are layers x modules. */
export type Domains = Omit<FrameOf<"domains">, "domains"> & { domains: (Omit<DomainPolicy, "probabilities"> & { probabilities: Float32Array })[] };

export const domainsOf = once((frame: FrameOf<"domains">): Domains => ({
  ...frame,
  domains: frame.domains.map((item) => ({ ...item, probabilities: decodeFloats(item.probabilities) })),
}));

export interface ModuleAt {
  layer: number;
  module: number;
}

export class DomainPaths extends Stage {
  private domains: Domains | null = null;
  private users: number[][][] = [];
  /** All data sets' probabilities, one behind the other. */
  private readonly probabilities = new Tween();
  private hovered: ModuleAt | null = null;

  constructor(canvas: HTMLCanvasElement) {
    super(canvas, true);
  }

  setDomains(domains: Domains): void {
    if (this.domains === domains) return;
    this.domains = domains;
    this.users = usersOf(domains.domains.map((item) => item.path), domains.layers, domains.modules.length);
    this.probabilities.aim(domains.domains.flatMap((item) => [...item.probabilities]), performance.now(), this.still);
    this.invalidate();
  }

  hover(at: ModuleAt | null): void {
    if (at?.layer === this.hovered?.layer && at?.module === this.hovered?.module) return;
    this.hovered = at;
    this.invalidate();
  }

  pick(point: Point): ModuleAt | null {
    if (!this.domains) return null;
    const size = this.nodeSize;
    for (let layer = 0; layer < this.domains.layers; layer++) {
      for (let module = 0; module < this.domains.modules.length; module++) {
        const at = this.placeOf(layer, module);
        if (Math.abs(at.x - point.x) < size.width / 2 && Math.abs(at.y - point.y) < size.height / 2) return { layer, module };
      }
    }
    return null;
  }

  private get step(): { x: number; y: number } {
    return {
      x: (this.width - INSET.left - INSET.right) / Math.max(this.domains?.layers ?? 1, 1),
      y: (this.height - INSET.top - INSET.bottom) / Math.max(this.domains?.modules.length ?? 1, 1),
    };
  }

  private get nodeSize(): { width: number; height: number } {
    return { width: Math.min(this.step.x * 0.56, 124), height: Math.min(this.step.y * 0.72, 58) };
  }

  private placeOf(layer: number, module: number): Point {
    return { x: INSET.left + (layer + 0.5) * this.step.x, y: INSET.top + (module + 0.5) * this.step.y };
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const { domains } = this;
    if (!domains) return false;
    const moving = this.probabilities.advance(now);
    context.font = `11.5px ${this.colours.font}`;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillStyle = this.colours.ink3;
    for (let layer = 0; layer < domains.layers; layer++) context.fillText(`layer ${layer + 1}`, this.placeOf(layer, 0).x, 18);
    this.paintFaint(context, domains);
    domains.domains.forEach((_, domain) => this.paintPath(context, domains, domain));
    for (let layer = 0; layer < domains.layers; layer++) for (let module = 0; module < domains.modules.length; module++) this.paintModule(context, domains, layer, module);
    return moving;
  }

  /** All ways that a path could take. */
  private paintFaint(context: CanvasRenderingContext2D, domains: Domains): void {
    context.strokeStyle = this.colours.line2;
    context.lineWidth = 1;
    for (let layer = 0; layer + 1 < domains.layers; layer++) {
      for (let from = 0; from < domains.modules.length; from++) for (let to = 0; to < domains.modules.length; to++) this.link(context, layer, from, to, 0);
    }
  }

  private paintPath(context: CanvasRenderingContext2D, domains: Domains, domain: number): void {
    const path = domains.domains[domain]?.path ?? [];
    // Side by side: no path hides another.
    const offset = (domain - (domains.domains.length - 1) / 2) * (LINE + 1.5);
    context.strokeStyle = domainColour(domain);
    context.lineWidth = LINE;
    context.lineCap = "butt";
    for (let layer = 0; layer + 1 < path.length; layer++) this.link(context, layer, path[layer] ?? 0, path[layer + 1] ?? 0, offset);
    const [first, last] = [path[0], path.at(-1)];
    if (first === undefined || last === undefined) return;
    const begin = this.placeOf(0, first);
    const end = this.placeOf(path.length - 1, last);
    context.beginPath();
    context.moveTo(4, begin.y + offset);
    context.lineTo(begin.x, begin.y + offset);
    context.moveTo(end.x, end.y + offset);
    context.lineTo(this.width - 4, end.y + offset);
    context.stroke();
  }

  private link(context: CanvasRenderingContext2D, layer: number, from: number, to: number, offset: number): void {
    const half = this.nodeSize.width / 2;
    const a = this.placeOf(layer, from);
    const b = this.placeOf(layer + 1, to);
    const dx = (b.x - a.x - 2 * half) * 0.5;
    context.beginPath();
    context.moveTo(a.x + half - 2, a.y + offset);
    context.bezierCurveTo(a.x + half + dx, a.y + offset, b.x - half - dx, b.y + offset, b.x - half + 2, b.y + offset);
    context.stroke();
  }

  private paintModule(context: CanvasRenderingContext2D, domains: Domains, layer: number, module: number): void {
    const { colours } = this;
    const { width, height } = this.nodeSize;
    const at = this.placeOf(layer, module);
    const users = this.users[layer]?.[module] ?? [];
    const box = { x: at.x - width / 2, y: at.y - height / 2 };
    context.save();
    context.beginPath();
    context.roundRect(box.x, box.y, width, height, 6);
    context.fillStyle = colours.node;
    context.fill();
    context.clip();
    if (users.length > 1) this.paintStripes(context, box, width, height, users);
    else if (users[0] !== undefined) {
      context.fillStyle = domainColour(users[0]);
      context.globalAlpha = 0.22;
      context.fillRect(box.x, box.y, width, height);
      context.globalAlpha = 1;
    }
    this.paintBars(context, domains, layer, module, box, width, height);
    context.restore();
    context.beginPath();
    context.roundRect(box.x, box.y, width, height, 6);
    const hovered = this.hovered?.layer === layer && this.hovered.module === module;
    context.strokeStyle = hovered ? colours.accent : users.length > 1 ? colours.ink : users[0] !== undefined ? domainColour(users[0]) : colours.line;
    context.lineWidth = hovered || users.length > 0 ? 2 : 1.2;
    context.stroke();
  }

  private paintStripes(context: CanvasRenderingContext2D, box: Point, width: number, height: number, users: readonly number[]): void {
    const wide = 7;
    context.globalAlpha = 0.42;
    for (let index = 0, x = box.x - height; x < box.x + width; index++, x += wide) {
      context.fillStyle = domainColour(users[index % users.length] ?? 0);
      context.beginPath();
      context.moveTo(x, box.y + height);
      context.lineTo(x + wide, box.y + height);
      context.lineTo(x + wide + height, box.y);
      context.lineTo(x + height, box.y);
      context.closePath();
      context.fill();
    }
    context.globalAlpha = 1;
  }

  /** The module's name, and one bar per data set: how probable the module is for it. */
  private paintBars(context: CanvasRenderingContext2D, domains: Domains, layer: number, module: number, box: Point, width: number, height: number): void {
    const { colours } = this;
    const count = domains.domains.length;
    const bar = Math.min(6, Math.max((height - 20) / count - 1, 2));
    const bars = count * (bar + 1);
    const named = height - bars > 15;
    if (named) {
      context.font = `600 11px ${colours.font}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = 3;
      context.strokeStyle = colours.node;
      const label = cut(context, shortName(domains.modules[module] ?? ""), width - 8);
      const y = box.y + (height - bars - 3) / 2 + 1;
      context.strokeText(label, box.x + width / 2, y);
      context.fillStyle = colours.ink;
      context.fillText(label, box.x + width / 2, y);
    }
    let before = 0;
    domains.domains.forEach((item, domain) => {
      const probability = this.probabilities.values[before + layer * domains.modules.length + module] ?? 0;
      before += item.probabilities.length;
      const y = box.y + height - bars - 3 + domain * (bar + 1);
      context.fillStyle = colours.line;
      context.fillRect(box.x + 5, y, width - 10, bar);
      context.fillStyle = domainColour(domain);
      context.fillRect(box.x + 5, y, (width - 10) * Math.min(probability, 1), bar);
    });
  }
}
