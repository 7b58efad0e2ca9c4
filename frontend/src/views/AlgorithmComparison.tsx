import { useMemo } from "react";
import type { Run } from "../api/types";
import { Panel } from "../ui/Panel";
import type { Score } from "../types/events.gen";
import { metric } from "../ui/format";
import { axes, axisOf, KIND_TITLES, type Axis, type ScoreKind } from "../ui/scoreKinds";
import { spread } from "./statistics";
import { meanText, paired } from "./verdict";

interface Group {
  key: string;
  title: string;
  runs: Run[];
}

function groupsOf(runs: Run[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    // One that goes on with another's search had more budget than the others.
    if (run.continues) continue;
    // The same algorithm may stand in an experiment twice, with different options.
    const key = `${run.algorithm.id} ${JSON.stringify(run.options)}`;
    const group = groups.get(key) ?? { key, title: run.algorithm.title, runs: [] };
    groups.set(key, group);
    group.runs.push(run);
  }
  return [...groups.values()];
}

const scoresOf = (run: Run): (Score | null)[] => [run.search_score, run.validation_score, run.test_score];

const valueOn = (run: Run, axis: Axis): number | undefined => scoresOf(run).find((score) => score && axisOf(score) === axis.key)?.value;

/** The runs' values on one axis. */
const valuesOn = (runs: readonly Run[], axis: Axis): number[] => runs.flatMap((run) => valueOn(run, axis) ?? []);

/** What the others are compared with: random search where it is there, else the first. */
function referenceOf(groups: Group[]): Group | undefined {
  return groups.find((group) => group.runs[0]?.algorithm.id === "random") ?? groups[0];
}

/** The verdict over the runs of equal seeds, on one axis. */
function verdictText(group: Group, reference: Group, axis: Axis): string {
  const bySeed = (from: Group) =>
    new Map(from.runs.flatMap((run): [number, number][] => {
      const value = valueOn(run, axis);
      return value === undefined ? [] : [[run.seed, value]];
    }));
  const [own, other] = [bySeed(group), bySeed(reference)];
  const seeds = [...own.keys()].filter((seed) => other.has(seed));
  const of = (from: Map<number, number>) => seeds.map((seed) => from.get(seed) ?? NaN);
  return paired(axis.metric, { own: of(own), other: of(other) }, reference.title);
}

/** Every seed's value as a dot on the axis of its measure, with the mean as a line. */
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

/** Algorithms compared over their seeds; only where some algorithm has several. Every measure has a column and an axis of its own. */
export function AlgorithmComparison({ runs }: { runs: Run[] }) {
  const groups = useMemo(() => groupsOf(runs), [runs]);
  const columns = useMemo(() => {
    const kinds: ScoreKind[] = ["search", "validation", "test"];
    const found = axes(runs.flatMap(scoresOf));
    return kinds.flatMap((kind) => found.filter((axis) => axis.kind === kind)).map((axis) => {
      const all = valuesOn(runs, axis);
      return { axis, low: Math.min(...all), high: Math.max(...all), count: all.length };
    });
  }, [runs]);
  if (groups.every((group) => group.runs.length < 2) || columns.every(({ count }) => count < 2)) return null;
  const reference = referenceOf(groups);
  return (
    <Panel title="Over seeds" note="mean ± half its 95 % interval (Student's t) over n seeds; each dot is one run" flush>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Algorithm</th>
            {columns.map(({ axis, low, high }) => (
              <th scope="col" key={axis.key}>
                <span className="axis-title">
                  {KIND_TITLES[axis.kind]}: {axis.name}
                  <span className="sub">{[axis.unit, axis.fidelity, `dots from ${metric(low)} to ${metric(high)}`].filter(Boolean).join(" · ")}</span>
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.key}>
              <th scope="row">{group.title}</th>
              {columns.map(({ axis, low, high }) => {
                const values = valuesOn(group.runs, axis);
                return (
                  <td key={axis.key} className="dots-cell">
                    <span className="strong">{meanText(values)}</span>
                    <span className="sub">
                      {values.length} of {group.runs.length} runs
                    </span>
                    {values.length > 0 && <Dots values={values} low={low} high={high} />}
                    {axis.kind === "test" && reference && group !== reference && values.length > 0 && (
                      <span className="sub">{verdictText(group, reference, axis)}</span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
