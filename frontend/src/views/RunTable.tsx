import { useMemo, useState, type ReactNode } from "react";
import type { ExperimentBody, Options, Run } from "../api/types";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { scoreOf } from "../ui/score";
import { StateChip } from "../ui/StateChip";
import { about, DASH, duration, metric, metricName } from "../ui/format";
import { ACTIVE, chargedText, finaleOf, givenOptions, seconds, testScore, testScores, testTitle } from "./experimentText";

type Column = "algorithm" | "seed" | "best" | "test";

const SORTS: Record<Column, (run: Run) => string | number | null> = {
  algorithm: (run) => run.algorithm.title,
  seed: (run) => run.seed,
  best: (run) => run.best?.value ?? null,
  test: testScore,
};

/** Numbers first go largest first, words and seeds smallest first; what is not known stays at the end either way. */
const DESCENDING: ReadonlySet<Column> = new Set(["best", "test"]);

function compare(column: Column, descending: boolean) {
  const value = SORTS[column];
  return (first: Run, second: Run) => {
    const [a, b] = [value(first), value(second)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
    return descending ? -order : order;
  };
}

function GivenOptions({ options }: { options: Options }) {
  const changed = Object.entries(options);
  if (changed.length === 0) return null;
  const text = changed.map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join(", ");
  return (
    <span className="sub run-options" title={text}>
      {text}
    </span>
  );
}

function Progress({ run }: { run: Run }) {
  const { fraction, text, eta_seconds: eta } = run.progress;
  const moving = run.state === "running" || run.state === "pausing" || run.state === "paused";
  return (
    <>
      <StateChip state={run.state} reason={run.reason} />
      {moving && fraction !== null && (
        <span className="meter run-meter" role="progressbar" aria-label="Progress" aria-valuenow={Math.round(fraction * 100)} aria-valuemin={0} aria-valuemax={100}>
          <i style={{ width: `${fraction * 100}%` }} />
        </span>
      )}
      <span className="sub">
        {run.state === "failed" || run.state === "cancelled" ? run.reason : moving ? [text, eta === null ? "" : `${about(eta)} left`].filter(Boolean).join(", ") : ""}
      </span>
    </>
  );
}

/** A super-network search has no best trial: what it found is known by its retrained network. */
function NoBest({ run }: { run: Run }) {
  const best = finaleOf(run).best;
  const retrained = best ? scoreOf(best.metrics, "val") : undefined;
  if (retrained === undefined) return <span className="faint">{ACTIVE.has(run.state) || run.state === "paused" ? "none yet" : DASH}</span>;
  return (
    <>
      <span className="strong">{metric(retrained)}</span>
      <span className="sub">final network</span>
    </>
  );
}

function Test({ run }: { run: Run }) {
  const { best, baseline } = finaleOf(run);
  if (!best) return <span className="faint">{run.state === "completed" ? DASH : "at the end"}</span>;
  const value = testScore(run);
  const each = testScores(run);
  if (value === null) return <span className="faint run-no-score">{best.reason || DASH}</span>;
  return (
    <>
      <span className="strong">{metric(value)}</span>
      {each.length > 1 && <span className="sub">mean of {each.map(metric).join(", ")}</span>}
      {baseline && <span className="sub">random {metric(scoreOf(baseline.metrics, "test"))}</span>}
    </>
  );
}

function Heading({ column, sort, onSort, numeric, children }: { column: Column; sort: { column: Column; descending: boolean } | null; onSort: (column: Column) => void; numeric?: boolean; children: ReactNode }) {
  const here = sort?.column === column;
  return (
    <th scope="col" className={numeric ? "num" : undefined} aria-sort={here ? (sort.descending ? "descending" : "ascending") : undefined}>
      <button type="button" className="sort-button" onClick={() => onSort(column)}>
        {children}
        <span aria-hidden="true">{here ? (sort.descending ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

/** Runs side by side: state, best value, what was spent, test accuracy when there is one. */
export function RunTable({ runs, algorithms }: { runs: Run[]; algorithms: ExperimentBody["algorithms"] }) {
  const [sort, setSort] = useState<{ column: Column; descending: boolean } | null>(null);
  const shown = useMemo(() => (sort ? [...runs].sort(compare(sort.column, sort.descending)) : runs), [runs, sort]);
  const leader = useMemo(() => [...runs].sort(compare("best", true)).find((run) => run.best), [runs]);
  const onSort = (column: Column) =>
    setSort((old) => (old?.column === column ? { column, descending: !old.descending } : { column, descending: DESCENDING.has(column) }));
  const measure = runs.find((run) => run.best)?.best?.metric;
  return (
    <table className="table">
      <thead>
        <tr>
          <Heading column="algorithm" sort={sort} onSort={onSort}>
            Algorithm
          </Heading>
          <Heading column="seed" sort={sort} onSort={onSort} numeric>
            Seed
          </Heading>
          <th scope="col">State</th>
          <Heading column="best" sort={sort} onSort={onSort} numeric>
            Best {measure ? metricName(measure) : "value"}
          </Heading>
          <th scope="col" className="num">
            Spent
          </th>
          <Heading column="test" sort={sort} onSort={onSort} numeric>
            {testTitle(runs)}
          </Heading>
          <th scope="col" className="num">
            Time
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((run) => (
          <tr key={run.id}>
            <th scope="row">
              <Link to={paths.run(run.id)}>{run.algorithm.title}</Link>
              <GivenOptions options={givenOptions(run, algorithms)} />
            </th>
            <td className="num">{run.seed}</td>
            <td>
              <Progress run={run} />
            </td>
            <td className="num">
              {run.best ? (
                <span className={run === leader && runs.length > 1 ? "leader" : "strong"} title={run === leader && runs.length > 1 ? "best of these runs" : undefined}>
                  {metric(run.best.value)}
                </span>
              ) : (
                <NoBest run={run} />
              )}
            </td>
            <td className="num muted">{chargedText(run)}</td>
            <td className="num">
              <Test run={run} />
            </td>
            <td className="num muted">{duration(seconds(run))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
