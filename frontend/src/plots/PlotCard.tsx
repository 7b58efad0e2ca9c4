/** A chart among others: small, and large with its figures where somebody asks for it. */
import { useMemo, useState } from "react";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Segmented } from "../ui/Segmented";
import { FigureTable } from "../ui/FigureTable";
import { tableOf, type Plot, type Spans } from "./chartData";
import { PlotCanvas, PlotLegend } from "./PlotFigure";

/** Small, with a button over the whole title that shows it large. */
export function PlotCard({ plot, onLarge, spans = null, heading = true }: { plot: Plot; onLarge: () => void; spans?: Spans | null; heading?: boolean }) {
  return (
    <figure className="plot-card">
      <figcaption className={heading ? undefined : "plot-corner"}>
        <button type="button" onClick={onLarge} title="show it large, with its figures" aria-label={`${plot.title}: show large`}>
          {heading ? plot.title : "Enlarge"}
        </button>
      </figcaption>
      <PlotCanvas plot={plot} compact spans={spans} />
      {heading && <PlotLegend plot={plot} />}
    </figure>
  );
}

/** A chart in figures: its text twin. */
function PlotFigures({ plot }: { plot: Plot }) {
  const figures = useMemo(() => tableOf(plot), [plot]);
  return <FigureTable figures={figures} className="plot-table" />;
}

/** Large: the picture or its figures, the legend and how to read it. */
export function PlotLarge({ plot, onBack, back = "All charts" }: { plot: Plot; onBack?: (() => void) | undefined; back?: string }) {
  const [twin, setTwin] = useState<"picture" | "figures">("picture");
  return (
    <div className="plot-large">
      <div className="plot-large-head">
        {onBack && (
          <Button small onClick={onBack}>
            {back}
          </Button>
        )}
        <strong>{plot.title}</strong>
        <Segmented
          label="Show as"
          options={[
            { value: "picture", label: "Picture" },
            { value: "figures", label: "Figures" },
          ]}
          value={twin}
          onChange={setTwin}
        />
      </div>
      {twin === "picture" ? <PlotCanvas plot={plot} /> : <PlotFigures plot={plot} />}
      <PlotLegend plot={plot} />
      {plot.note && <p className="plot-note">{plot.note}</p>}
    </div>
  );
}

/** Several charts, each of which opens large in a dialog. */
export function PlotGrid({ plots, spans = null }: { plots: readonly Plot[]; spans?: Spans | null }) {
  const [large, setLarge] = useState<string | null>(null);
  const shown = plots.find((plot) => plot.name === large);
  return (
    <>
      <div className="plot-grid">
        {plots.map((plot) => (
          <PlotCard key={plot.name} plot={plot} spans={spans} onLarge={() => setLarge(plot.name)} />
        ))}
      </div>
      {shown && <PlotDialog plot={shown} onClose={() => setLarge(null)} />}
    </>
  );
}

export function PlotDialog({ plot, onClose }: { plot: Plot; onClose: () => void }) {
  return (
    <Dialog title={plot.title} onClose={onClose} size="chart" actions={<Button onClick={onClose}>Close</Button>}>
      <PlotLarge plot={plot} />
    </Dialog>
  );
}
