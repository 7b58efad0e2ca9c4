import { useMemo, useState, type ReactNode } from "react";
import type { ExperimentBody, Options, Run } from "../api/types";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { equal } from "../schema/model";
import type { Score } from "../types/events.gen";
import { ahead, axes, axisOf, KIND_TITLES, type Axis, type ScoreKind } from "../ui/scoreKinds";
import { ScoreValue } from "../ui/ScoreValue";
import { StateChip } from "../ui/StateChip";
import { DASH, duration, metric, timeLeft } from "../ui/format";
import { meanText } from "./verdict";
import { ACTIVE, alsoChargedText, amountOf, architecturesText, chargedText, failedText, finaleOf, givenOptions, seconds, stateWord, testScores } from "./experimentText";

/** "algorithm", "seed", or the key of a score's axis. */
type Column = string;

const KINDS: readonly ScoreKind[] = ["search", "validation", "test"];

const scoreOfKind = (run: Run, kind: ScoreKind): Score | null => run[`${kind}_score`];

function sortValue(run: Run, column: Column): string | number | null {
  if (column === "algorithm") return run.algorithm.title;
  if (column === "seed") return run.seed;
  const score = KINDS.map((kind) => scoreOfKind(run, kind)).find((found) => found !== null && axisOf(found) === column);
  return score?.value ?? null;
}

/** What is not known stays at the end either way. */
function compare(column: Column, descending: boolean) {
  return (first: Run, second: Run) => {
    const [a, b] = [sortValue(first, column), sortValue(second, column)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
    return descending ? -order : order;
  };
}

/** The options that a run was given, those first that other runs of the table were not given alike. */
/** The beginning of what is long, an architecture for example: the run's page has the whole. */
const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

function GivenOptions({ options, apart }: { options: Options; apart: ReadonlySet<string> }) {
  const changed = Object.entries(options).sort(([a], [b]) => Number(apart.has(b)) - Number(apart.has(a)));
  if (changed.length === 0) return null;
  const text = changed.map(([name, value]) => `${name} ${cut(typeof value === "object" ? JSON.stringify(value) : String(value))}`).join(", ");
  return <span className="sub run-options">{text}</span>;
}

function Progress({ run }: { run: Run }) {
  const { fraction, text } = run.progress;
  // Nothing is left to be waited for where nobody goes on with it.
  const left = run.elsewhere && run.state === "paused" ? null : timeLeft(run.progress);
  const moving = run.state === "running" || run.state === "pausing" || run.state === "paused";
  return (
    <>
      <StateChip state={run.state} reason={run.reason} text={stateWord(run)} />
      {moving && fraction !== null && (
        <span className="meter run-meter" role="progressbar" aria-label="Progress" aria-valuenow={Math.round(fraction * 100)} aria-valuemin={0} aria-valuemax={100}>
          <i style={{ width: `${fraction * 100}%` }} />
        </span>
      )}
      <span className="sub">
        {run.state === "failed" || run.state === "cancelled" ? run.reason : moving ? [text, left === null ? "" : `${left} left`].filter(Boolean).join(", ") : ""}
      </span>
    </>
  );
}

/** Why a run has no score of a kind. */
function NoScore({ run, kind }: { run: Run; kind: ScoreKind }) {
  const open = ACTIVE.has(run.state) || run.state === "paused";
  if (kind === "search") return <span className="faint" title={open ? undefined : "the search scores no architecture of its own"}>{open ? "none yet" : DASH}</span>;
  if (open || run.state === "pausing") return <span className="faint">at the end</span>;
  return <span className="faint run-no-score">{(kind === "test" && finaleOf(run).best?.reason) || DASH}</span>;
}

/** The values of the test under that of the run: of each data set, and of what it is compared with. */
function BesideTest({ run }: { run: Run }) {
  const { random } = finaleOf(run);
  const each = testScores(run);
  return (
    <>
      {each.length > 1 && <span className="sub">mean of {each.map((score) => metric(score.value)).join(", ")}</span>}
      {random.length > 0 && <span className="sub">random {meanText(random)}</span>}
    </>
  );
}

function ScoreCell({ run, kind, axis, leader, first }: { run: Run; kind: ScoreKind; axis: Axis | undefined; leader: boolean; first: boolean }) {
  const score = scoreOfKind(run, kind);
  if (!score) return first ? <NoScore run={run} kind={kind} /> : <span className="faint">{DASH}</span>;
  if (axisOf(score) !== axis?.key) return <span className="faint">{DASH}</span>;
  return (
    <>
      <ScoreValue score={score} fidelity={axis.fidelity === null} leader={leader} />
      {kind === "test" && <BesideTest run={run} />}
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

function AxisTitle({ axis, kind }: { axis: Axis | undefined; kind: ScoreKind }) {
  if (!axis) return KIND_TITLES[kind];
  return (
    <span className="axis-title">
      {KIND_TITLES[kind]}: {axis.name}
      <span className="sub">{[axis.unit, axis.fidelity].filter(Boolean).join(" · ")}</span>
    </span>
  );
}

/** Runs side by side: state, what was spent, and the three scores. Only equals share a column; by a test score nothing is sorted, because it must not choose. */
export function RunTable({ runs, algorithms }: { runs: Run[]; algorithms: ExperimentBody["algorithms"] }) {
  const [sort, setSort] = useState<{ column: Column; descending: boolean } | null>(null);
  const shown = useMemo(() => (sort ? [...runs].sort(compare(sort.column, sort.descending)) : runs), [runs, sort]);
  const columns = useMemo(() => KINDS.flatMap((kind) => columnsOf(runs, kind)), [runs]);
  const apart = useMemo(() => {
    const given = runs.map((run) => givenOptions(run, algorithms));
    const names = new Set(given.flatMap((options) => Object.keys(options)));
    return new Set([...names].filter((name) => given.some((options) => !equal(options[name], given[0]?.[name]))));
  }, [runs, algorithms]);
  const leaders = useMemo(() => new Map(columns.map(({ kind, axis }) => [axis?.key, kind === "search" && axis ? leaderOf(runs, axis) : null])), [columns, runs]);
  const onSort = (column: Column, descending: boolean) =>
    setSort((old) => (old?.column === column ? { column, descending: !old.descending } : { column, descending }));
  return (
    <table className="table">
      <thead>
        <tr>
          <Heading column="algorithm" sort={sort} onSort={(column) => onSort(column, false)}>
            Algorithm
          </Heading>
          <Heading column="seed" sort={sort} onSort={(column) => onSort(column, false)} numeric>
            Seed
          </Heading>
          <th scope="col">State</th>
          {columns.map(({ kind, axis }) =>
            kind === "test" || !axis ? (
              <th scope="col" className="num" key={axis?.key ?? kind} title={kind === "test" ? "once per finished network; not a way to choose, so it does not sort" : undefined}>
                <AxisTitle axis={axis} kind={kind} />
              </th>
            ) : (
              <Heading key={axis.key} column={axis.key} sort={sort} onSort={(column) => onSort(column, axis.direction === "maximise")} numeric>
                <AxisTitle axis={axis} kind={kind} />
              </Heading>
            ),
          )}
          <th scope="col" className="num">
            Spent
          </th>
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
              <GivenOptions options={givenOptions(run, algorithms)} apart={apart} />
            </th>
            <td className="num">
              {run.seed}
              {run.continues && <span className="sub">goes on from {amountOf(run.continues.unit, run.continues.have)}</span>}
            </td>
            <td>
              <Progress run={run} />
            </td>
            {columns.map(({ kind, axis, first }) => (
              <td className="num" key={axis?.key ?? kind}>
                <ScoreCell run={run} kind={kind} axis={axis} first={first} leader={axis !== undefined && leaders.get(axis.key) === run && runs.length > 1} />
              </td>
            ))}
            <td className="num muted">
              {chargedText(run)}
              <span className="sub">{alsoChargedText(run)}</span>
              {run.counts.repeated > 0 && <span className="sub">{architecturesText(run)}</span>}
              {failedText(run) && <span className="sub tone-warn">{failedText(run)}</span>}
            </td>
            <td className="num muted">{duration(seconds(run))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ScoreColumn {
  kind: ScoreKind;
  /** Undefined where no run has a score of the kind yet. */
  axis: Axis | undefined;
  /** Whether it is the kind's first column, which says why a run has no score of it. */
  first: boolean;
}

function columnsOf(runs: readonly Run[], kind: ScoreKind): ScoreColumn[] {
  const found = axes(runs.map((run) => scoreOfKind(run, kind)));
  return found.length > 0 ? found.map((axis, place) => ({ kind, axis, first: place === 0 })) : [{ kind, axis: undefined, first: true }];
}

/** The run with the best score of an axis, the earlier of equals. */
function leaderOf(runs: readonly Run[], axis: Axis): Run | null {
  return runs.reduce<Run | null>((best, run) => {
    const [own, other] = [scoreOfKind(run, axis.kind), best && scoreOfKind(best, axis.kind)];
    if (!own || axisOf(own) !== axis.key) return best;
    return !other || ahead(own, other) ? run : best;
  }, null);
}
