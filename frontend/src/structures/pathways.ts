/** PathNet's figure: columns of modules, the population's paths as translucent ribbons, what earlier tasks froze in dark red. */
import { themeColour } from "../app/theme";
import { Stage, type Point } from "../graph/stage";
import type { PathwaysFrame } from "../types/events.gen";
import { linksOf, pathwayFlow, type PathwayFlow } from "./pathwayFlow";

const INSET = { left: 60, right: 60, top: 34, bottom: 36 };
const FLASH_MS = 900;

export interface ModulePick {
  layer: number;
  module: number;
}

export class Pathways extends Stage {
  private pathways: PathwaysFrame | null = null;
  private flow: PathwayFlow = { flows: [], usage: [] };
  private flashSince = -Infinity;
  private hovered: ModulePick | null = null;
  /** The last task's best path is what the search found. */
  private final = false;
  private hues = { first: "", frozen: "", later: "", best: "" };

  constructor(canvas: HTMLCanvasElement) {
    super(canvas, true);
    this.themeChanged();
  }

  setFrame(frame: PathwaysFrame, final: boolean, flash: boolean): void {
    if (this.pathways !== frame) {
      this.pathways = frame;
      this.flow = pathwayFlow(frame);
      if (flash && !this.still && frame.tournament.length > 0) this.flashSince = performance.now();
    }
    this.final = final;
    this.invalidate();
  }

  hover(pick: ModulePick | null): void {
    if (pick?.layer === this.hovered?.layer && pick?.module === this.hovered?.module) return;
    this.hovered = pick;
    this.invalidate();
  }

  usageOf({ layer, module }: ModulePick): number {
    return this.flow.usage[layer]?.[module] ?? 0;
  }

  pick(point: Point): ModulePick | null {
    if (!this.pathways) return null;
    for (let layer = 0; layer < this.pathways.layers; layer++) {
      for (let module = 0; module < this.pathways.modules; module++) {
        const at = this.placeOf(layer, module);
        if (Math.hypot(at.x - point.x, at.y - point.y) < Math.max(this.spacing / 2, 6)) return { layer, module };
      }
    }
    return null;
  }

  protected override themeChanged(): void {
    const read = (name: string, otherwise: string) => themeColour(`--path-${name}`) || otherwise;
    this.hues = { first: read("first", "#7b4fb3"), frozen: read("frozen", "#a01622"), later: read("later", "#4fa3dc"), best: read("best", "#0b4f9e") };
  }

  private get spacing(): number {
    return (this.height - INSET.top - INSET.bottom) / Math.max(this.pathways?.modules ?? 1, 1);
  }

  private placeOf(layer: number, module: number): Point {
    const layers = this.pathways?.layers ?? 1;
    const wide = this.width - INSET.left - INSET.right;
    return { x: INSET.left + (layers > 1 ? (layer / (layers - 1)) * wide : wide / 2), y: INSET.top + (module + 0.5) * this.spacing };
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const frame = this.pathways;
    if (!frame) return false;
    const own = frame.task === 0 ? this.hues.first : this.hues.later;
    this.paintHeads(context, frame);
    const size = Math.max(frame.population.length, 1);
    const widest = Math.min(this.spacing * 0.9, 22);
    context.lineCap = "round";
    context.strokeStyle = own;
    for (const { layer, from, to, count } of this.flow.flows) {
      context.globalAlpha = 0.1 + 0.32 * (count / size);
      context.lineWidth = Math.max(0.8, (widest * count) / size);
      this.link(context, layer, from, to);
    }
    context.globalAlpha = 1;
    context.strokeStyle = this.hues.frozen;
    context.lineWidth = 3;
    for (const path of frame.earlier) for (const { layer, from, to } of linksOf(path)) this.link(context, layer, from, to);
    this.paintBest(context, frame);
    const flashing = this.paintTournament(context, frame, now);
    this.paintModules(context, frame, size, own);
    return flashing;
  }

  private link(context: CanvasRenderingContext2D, layer: number, from: number, to: number): void {
    const a = this.placeOf(layer, from);
    const b = this.placeOf(layer + 1, to);
    const dx = (b.x - a.x) * 0.45;
    context.beginPath();
    context.moveTo(a.x, a.y);
    context.bezierCurveTo(a.x + dx, a.y, b.x - dx, b.y, b.x, b.y);
    context.stroke();
  }

  private paintHeads(context: CanvasRenderingContext2D, frame: PathwaysFrame): void {
    context.font = `11.5px ${this.colours.font}`;
    context.textBaseline = "alphabetic";
    context.textAlign = "center";
    context.fillStyle = this.colours.ink3;
    for (let layer = 0; layer < frame.layers; layer++) context.fillText(`layer ${layer + 1}`, this.placeOf(layer, 0).x, 22);
  }

  /** The best path of the present task: thin while the task goes on, strong when it is the result. */
  private paintBest(context: CanvasRenderingContext2D, frame: PathwaysFrame): void {
    context.strokeStyle = frame.task === 0 ? this.hues.first : this.hues.best;
    context.lineWidth = this.final ? 3.6 : 2;
    context.globalAlpha = this.final ? 1 : 0.85;
    for (const { layer, from, to } of linksOf(frame.best)) this.link(context, layer, from, to);
    context.globalAlpha = 1;
  }

  private paintTournament(context: CanvasRenderingContext2D, frame: PathwaysFrame, now: number): boolean {
    const t = (now - this.flashSince) / FLASH_MS;
    if (t >= 1) return false;
    const [winner, loser] = frame.tournament;
    for (const [place, colour, dash] of [[loser, this.colours.ink3, [5, 5]], [winner, this.colours.good, []]] as const) {
      const path = place === undefined ? undefined : frame.population[place];
      if (!path) continue;
      context.strokeStyle = colour;
      context.globalAlpha = 1 - t;
      context.lineWidth = 2 + 3 * (1 - t);
      context.setLineDash([...dash]);
      for (const { layer, from, to } of linksOf(path)) this.link(context, layer, from, to);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    return true;
  }

  private paintModules(context: CanvasRenderingContext2D, frame: PathwaysFrame, size: number, own: string): void {
    const { colours } = this;
    const largest = Math.min(this.spacing * 0.46, 15);
    for (let layer = 0; layer < frame.layers; layer++) {
      for (let module = 0; module < frame.modules; module++) {
        const at = this.placeOf(layer, module);
        const share = this.usageOf({ layer, module }) / size;
        const frozen = frame.frozen[layer]?.includes(module) ?? false;
        const best = frame.best[layer]?.includes(module) ?? false;
        context.beginPath();
        context.arc(at.x, at.y, Math.max(2.2, largest * (0.3 + 0.7 * Math.sqrt(share))), 0, 2 * Math.PI);
        context.fillStyle = frozen ? this.hues.frozen : share > 0 ? own : colours.node;
        context.fill();
        const hovered = this.hovered?.layer === layer && this.hovered.module === module;
        context.strokeStyle = hovered ? colours.accent : best ? (frame.task === 0 ? colours.ink : this.hues.best) : share > 0 || frozen ? colours.panel : colours.faint;
        context.lineWidth = hovered || best ? 2.4 : 1.2;
        context.stroke();
      }
    }
  }
}
