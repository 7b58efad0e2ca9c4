/**
 * The base of every canvas picture: sharp on any screen, drawn only when something changed, zoom and pan where wanted, colours read
 * again when the theme changes. A picture knows nothing of React: a component mounts it, feeds it and disposes of it.
 */
import { onThemeChange } from "../app/theme";
import { canvasColours, type CanvasColours } from "./palette";
import { reducedMotion } from "./tween";

export interface Point {
  x: number;
  y: number;
}

const ZOOM_LIMIT = { least: 0.6, most: 8 };
/** A press that moves less than this is a click. */
const CLICK_SLACK = 4;

export abstract class Stage {
  protected readonly context: CanvasRenderingContext2D;
  protected width = 0;
  protected height = 0;
  protected colours: CanvasColours = canvasColours();
  protected zoom = { k: 1, x: 0, y: 0 };
  /** Called with the pointer's place in the picture's own units, null when it left. */
  onPoint: ((point: Point | null, screen: Point) => void) | null = null;
  onClick: ((point: Point) => void) | null = null;
  private frame = 0;
  private readonly observer: ResizeObserver;
  private readonly abort = new AbortController();
  private readonly forgetTheme: () => void;
  private drag: { x: number; y: number; moved: boolean } | null = null;

  constructor(protected readonly canvas: HTMLCanvasElement, zoomable = false) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser draws no canvas");
    this.context = context;
    // It tells the first size too, after the subclass has made its fields.
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(canvas);
    this.forgetTheme = onThemeChange(() => {
      this.colours = canvasColours();
      this.themeChanged();
      this.invalidate();
    });
    const signal = this.abort.signal;
    canvas.addEventListener("pointermove", (event) => this.moved(event, zoomable), { signal });
    canvas.addEventListener("pointerleave", (event) => this.onPoint?.(null, this.screenPlace(event)), { signal });
    canvas.addEventListener("pointerdown", (event) => {
      this.drag = { x: event.clientX, y: event.clientY, moved: false };
      if (zoomable) canvas.setPointerCapture(event.pointerId);
    }, { signal });
    canvas.addEventListener("pointerup", (event) => {
      const click = this.drag && !this.drag.moved;
      this.drag = null;
      if (click) this.onClick?.(this.place(event));
    }, { signal });
    canvas.addEventListener("pointercancel", () => (this.drag = null), { signal });
    if (zoomable) {
      canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        this.zoomAt(this.screenPlace(event), Math.exp(-event.deltaY * 0.0016));
      }, { signal, passive: false });
      canvas.addEventListener("dblclick", () => this.resetZoom(), { signal });
    }
  }

  // ---- for the component

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.abort.abort();
    this.forgetTheme();
    this.onPoint = this.onClick = null;
  }

  /** Draw in the next frame. */
  invalidate(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  zoomAt(place: Point, factor: number): void {
    const k = Math.min(Math.max(this.zoom.k * factor, ZOOM_LIMIT.least), ZOOM_LIMIT.most);
    const change = k / this.zoom.k;
    this.zoom = { k, x: place.x - (place.x - this.zoom.x) * change, y: place.y - (place.y - this.zoom.y) * change };
    this.invalidate();
  }

  zoomBy(factor: number): void {
    this.zoomAt({ x: this.width / 2, y: this.height / 2 }, factor);
  }

  resetZoom(): void {
    this.zoom = { k: 1, x: 0, y: 0 };
    this.invalidate();
  }

  // ---- for the pictures

  /** Draw everything; true asks for another frame. */
  protected abstract paint(context: CanvasRenderingContext2D, now: number): boolean;

  /** The size changed: places have to be computed again. */
  protected resized(): void {}

  protected themeChanged(): void {}

  protected get still(): boolean {
    return reducedMotion();
  }

  private resize(): void {
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (width === this.width && height === this.height && this.canvas.width === Math.round(width * ratio)) return;
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.resized();
    // At once: a canvas that waits for the next frame flickers while its panel changes size.
    this.draw(performance.now());
  }

  private draw(now: number): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.width === 0 || this.height === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const { context, zoom } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.setTransform(ratio * zoom.k, 0, 0, ratio * zoom.k, ratio * zoom.x, ratio * zoom.y);
    if (this.paint(context, now)) this.invalidate();
  }

  private screenPlace(event: MouseEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private place(event: MouseEvent): Point {
    const screen = this.screenPlace(event);
    return { x: (screen.x - this.zoom.x) / this.zoom.k, y: (screen.y - this.zoom.y) / this.zoom.k };
  }

  private moved(event: PointerEvent, zoomable: boolean): void {
    if (this.drag) {
      const dx = event.clientX - this.drag.x;
      const dy = event.clientY - this.drag.y;
      if (this.drag.moved || Math.hypot(dx, dy) > CLICK_SLACK) {
        this.drag.moved = true;
        if (zoomable) {
          this.zoom = { k: this.zoom.k, x: this.zoom.x + dx, y: this.zoom.y + dy };
          this.drag.x = event.clientX;
          this.drag.y = event.clientY;
          this.invalidate();
        }
      }
      if (zoomable) return;
    }
    this.onPoint?.(this.place(event), this.screenPlace(event));
  }
}

/** A rectangle with round corners as the current path. */
export function roundBox(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
}
