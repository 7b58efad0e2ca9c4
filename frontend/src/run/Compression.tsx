/** Whether compressing networks before their training pays: FLOPs, the model's constants, the speed-up it predicts and the measured one. */
import type { RunStore } from "../stream/store";
import { Doubts } from "../ui/ClassTable";
import { DASH, metric, share } from "../ui/format";

/** Below this predicted speed-up the run itself warns. */
const HARDLY = 1.1;

const scientific = (value: number | undefined): string => (value === undefined ? DASH : value.toExponential(1));

export function Compression({ store }: { store: RunStore }) {
  const found = store.compression;
  if (!found) return null;
  const { flops_ratio: ratio, a, c, d, n, k, predicted, measured, trials } = found.values;
  const correlation = store.controls.findLast(({ data }) => data.name === "plain_sample")?.data.values.rank_correlation;
  const facts: [string, string, string][] = [
    ["FLOPs left", share(ratio), `over ${trials ?? 0} compressed networks`],
    ["a", metric(a), "by which an epoch of compression divides them"],
    ["c, d", `${scientific(c)}, ${scientific(d)}`, "seconds by FLOP: an epoch of training, the scoring"],
    ["epochs", `${metric(k)} + ${metric(n)}`, "of compression, then of training"],
    ["S predicted", metric(predicted), "(cn + d) / (ck + (cn + d) / aᵏ)"],
    ["S measured", metric(measured), "by this machine’s clock"],
    ...(correlation === undefined ? [] : [["rank correlation", metric(correlation), "of compressed and plain scores, trained both ways"] as [string, string, string]]),
  ];
  return (
    <div className="compression" role="group" aria-label="Compression">
      <dl>
        {facts.map(([name, value, note]) => (
          <div className="stat" key={name} title={note}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {predicted !== undefined && predicted < HARDLY && <Doubts warnings={[found.message]} />}
    </div>
  );
}
