import { useMemo } from "react";
import type { Run } from "../api/types";
import { Panel } from "../ui/Panel";
import { DASH, metric } from "../ui/format";
import { testScore, testTitle } from "./experimentText";
import { spread } from "./statistics";

interface Group {
  key: string;
  title: string;
  runs: Run[];
  values: number[];
  tests: number[];
}

function groupsOf(runs: Run[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    // The same algorithm may stand in an experiment twice, with different options.
    const key = `${run.algorithm.id} ${JSON.stringify(run.options)}`;
    const group = groups.get(key) ?? { key, title: run.algorithm.title, runs: [], values: [], tests: [] };
    groups.set(key, group);
    group.runs.push(run);
    if (run.best) group.values.push(run.best.value);
    const test = testScore(run);
    if (test !== null) group.tests.push(test);
  }
  return [...groups.values()];
}

function spreadText(values: number[]): string {
  const result = spread(values);
  if (!result) return DASH;
  return result.deviation === null ? metric(result.mean) : `${metric(result.mean)} ± ${metric(result.deviation)}`;
}

/** Every seed's best value as a dot on one common scale, with the mean as a line. */
function Dots({ values, low, high }: { values: number[]; low: number; high: number }) {
  const place = (value: number) => 3 + (high > low ? (value - low) / (high - low) : 0.5) * 194;
  const mean = spread(values)?.mean;
  return (
    <svg className="dots" viewBox="0 0 200 16" aria-hidden="true">
      <line x1="3" x2="197" y1="8" y2="8" stroke="var(--line)" />
      {values.map((value, index) => (
        <circle key={index} cx={place(value)} cy="8" r="3" fill="var(--accent)" fillOpacity="0.45" />
      ))}
      {mean !== undefined && <line x1={place(mean)} x2={place(mean)} y1="2" y2="14" stroke="var(--ink)" strokeWidth="1.5" />}
    </svg>
  );
}

/** Algorithms compared over their seeds; only where some algorithm has several. */
export function AlgorithmComparison({ runs }: { runs: Run[] }) {
  const groups = useMemo(() => groupsOf(runs), [runs]);
  const all = groups.flatMap((group) => group.values);
  if (groups.every((group) => group.runs.length < 2) || all.length < 2) return null;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return (
    <Panel title="Over seeds" note="mean ± standard deviation; each dot is one run's best value" flush>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Algorithm</th>
            <th scope="col" className="num">
              Runs with a result
            </th>
            <th scope="col" className="num">
              Best on validation
            </th>
            <th scope="col">
              {metric(low)} to {metric(high)}
            </th>
            <th scope="col" className="num">
              {testTitle(runs)}
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.key}>
              <th scope="row">{group.title}</th>
              <td className="num">
                {group.values.length} of {group.runs.length}
              </td>
              <td className="num strong">{spreadText(group.values)}</td>
              <td className="dots-cell">
                <Dots values={group.values} low={low} high={high} />
              </td>
              <td className="num">{spreadText(group.tests)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
