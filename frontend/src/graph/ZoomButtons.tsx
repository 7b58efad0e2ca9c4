/** Zoom for those without a wheel; `low` where the picture has headings at the top. */
import type { Stage } from "./stage";

export function ZoomButtons({ picture, low = false }: { picture: Stage | null; low?: boolean }) {
  return (
    <div className={low ? "zoom-buttons zoom-low" : "zoom-buttons"}>
      <button type="button" aria-label="Zoom in" title="Zoom in (wheel)" onClick={() => picture?.zoomBy(1.3)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" title="Zoom out (wheel)" onClick={() => picture?.zoomBy(1 / 1.3)}>
        −
      </button>
      <button type="button" title="Whole picture (double click)" onClick={() => picture?.resetZoom()}>
        Fit
      </button>
    </div>
  );
}
