/** Arms by their last generations: the pooled mean, the mean time, paired differences to the first arm; a thesis's figures beside. */
import type { Run } from "../api/types";
import { Panel } from "../ui/Panel";
import { count, duration, metric } from "../ui/format";
import { spread } from "../views/statistics";
import { differenceText } from "../views/verdict";
import { armsOf, pooledMean, startsText, type Arm, type LastGeneration } from "./outcomes";
import { publishedFor, publishedOf } from "./thesis";
import type { Said } from "./useRunCharts";

interface Row extends Arm {
  /** Of the runs whose last generation is told. */
  told: { run: Run; last: LastGeneration }[];
}

const meanOf = (values: number[]): number | null => spread(values)?.mean ?? null;

/** `of` of both arms under the seeds that both have. */
function pairs(own: Row, other: Row, of: (item: Row["told"][number]) => number) {
  const bySeed = new Map(other.told.map((item) => [item.run.seed, of(item)]));
  const both = own.told.filter(({ run }) => bySeed.has(run.seed));
  return { own: both.map(of), other: both.map(({ run }) => bySeed.get(run.seed) ?? NaN) };
}

export function LastGenerations({ runs, said }: { runs: readonly Run[]; said: ReadonlyMap<string, Said> }) {
  const rows: Row[] = armsOf(runs).map((arm) => ({
    ...arm,
    told: arm.runs.flatMap((run) => {
      const last = said.get(run.id)?.last;
      return last ? [{ run, last }] : [];
    }),
  }));
  const [first] = rows;
  if (!first || rows.length < 2 || rows.every((row) => row.told.length === 0)) return null;
  const key = runs[0]?.search_measure.metric ?? "";
  const published = publishedFor(runs);
  const starts = startsText(runs, new Map([...said].map(([id, { start }]) => [id, start])));
  const time = meanOf(first.told.map(({ run }) => run.charged.seconds));
  return (
    <Panel title="The last generation" note="mean over the networks of the last generation of all seeds; differences over runs of equal seed" flush>
      <div className="compare-scroll" tabIndex={0} role="group" aria-label="Arms by their last generations">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Arm</th>
              <th scope="col">
                {runs[0]?.search_measure.name}
                <span className="sub">mean of the pooled networks</span>
              </th>
              <th scope="col">
                Time of a run
                <span className="sub">mean device time; FLOPs</span>
              </th>
              {published && (
                <th scope="col">
                  The thesis
                  <span className="sub">two P100, full pictures</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const mean = pooledMean(row.told.map(({ last }) => last));
              const seconds = meanOf(row.told.map(({ run }) => run.charged.seconds));
              const flops = meanOf(row.told.map(({ run }) => run.charged.flops));
              const networks = row.told.reduce((sum, { last }) => sum + last.networks, 0);
              const compared = row !== first && row.told.length > 0 && first.told.length > 0;
              const theirs = published ? publishedOf(published, row.runs[0]?.options.compress) : null;
              return (
                <tr key={row.title}>
                  <th scope="row">
                    {row.title}
                    <span className="sub">
                      {row.told.length} of {row.runs.length} runs
                    </span>
                  </th>
                  <td>
                    <span className="strong">{mean === null ? "–" : metric(mean)}</span>
                    <span className="sub">{networks} networks</span>
                    {compared && <span className="sub">{differenceText(key, pairs(row, first, ({ last }) => last.mean))}</span>}
                  </td>
                  <td>
                    <span className="strong">{seconds === null ? "–" : duration(seconds)}</span>
                    {flops !== null && <span className="sub">{count(flops)} FLOPs</span>}
                    {compared && seconds !== null && time !== null && <span className="sub">{`speed-up ${(time / seconds).toFixed(2)} (ratio of means)`}</span>}
                    {compared && <span className="sub">{`${differenceText("", pairs(row, first, ({ run }) => run.charged.seconds))} seconds`}</span>}
                  </td>
                  {published && (
                    <td>
                      <span className="strong">{theirs?.accuracy ?? "–"}</span>
                      <span className="sub">{theirs?.minutes ?? "no figures"}</span>
                      {theirs && row !== first && <span className="sub">{`speed-up ${published.speedUp}, accuracy ${(-published.loss).toFixed(2)} points`}</span>}
                    </td>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {starts && <p className="muted compare-note">{starts}</p>}
      {published && (
        <p className="muted compare-note">
          The thesis: Nikulenkov, master’s thesis, Moscow State University 2022, tables 1 to 3; 4 runs in each group, one epoch of compression over all training data, the length of the training after it
          is not said. Here pictures, examples and epochs are as this experiment’s settings say, so only directions can be compared, not values. Its text gives the speed-up of 2.31 to CIFAR-10; by its
          own table that is CIFAR-100’s, and CIFAR-10 has 1.82. Device time grows with whatever else the machine does; FLOPs do not.
        </p>
      )}
    </Panel>
  );
}
