/** Examples of a data set as what they are: pictures, rows of a table, series. */
import type { DataSample } from "../../api/types";
import { FigureTable } from "../../ui/FigureTable";

const WIDTH = 160;
const HEIGHT = 56;
const HUES = ["var(--accent)", "var(--best)", "var(--good)", "var(--path-first)", "var(--gold)", "var(--ink3)"];

/** A polyline's points in a box of WIDTH × HEIGHT; a gap where a value is missing. */
export function sparkline(values: readonly number[], least: number, largest: number): string {
  const span = largest - least || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  return values
    .map((value, place) => (Number.isFinite(value) ? `${(place * step).toFixed(1)},${(HEIGHT - 2 - ((value - least) / span) * (HEIGHT - 4)).toFixed(1)}` : ""))
    .filter(Boolean)
    .join(" ");
}

function Series({ sample }: { sample: DataSample }) {
  const channels = sample.series ?? [];
  const values = channels.flat().filter(Number.isFinite);
  const [least, largest] = [Math.min(...values), Math.max(...values)];
  const words = `${channels.length === 1 ? "One channel" : `${channels.length} channels`} from ${Number(least.toPrecision(4))} to ${Number(largest.toPrecision(4))}`;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={`${sample.label}: ${words}`}>
      {channels.map((channel, place) => (
        <polyline key={place} points={sparkline(channel, least, largest)} fill="none" strokeWidth="1.4" style={{ stroke: HUES[place % HUES.length] }} />
      ))}
    </svg>
  );
}

/** `columns`: what the cells of a row are called; `target`: what the label is, which stands in front where no column holds it. */
export function Samples({ samples, columns, target }: { samples: readonly DataSample[]; columns: readonly string[]; target: string }) {
  const rows = samples.filter((sample) => sample.row !== null);
  if (samples.length === 0) return <p className="muted">No examples are shown.</p>;
  if (rows.length > 0) {
    const own = columns.includes(target);
    const cells = rows.map((sample) => [...(own ? [] : [sample.label]), ...(sample.row ?? [])]);
    return <FigureTable figures={{ title: "Rows", head: [...(own ? [] : [target]), ...columns], rows: cells }} />;
  }
  return (
    <ul className="samples" aria-label="Examples">
      {samples.map((sample, place) => (
        <li key={place}>
          {sample.picture !== null ? <img src={`data:image/png;base64,${sample.picture}`} alt={`An example of ${sample.label}`} /> : <Series sample={sample} />}
          <span>{sample.label}</span>
        </li>
      ))}
    </ul>
  );
}
