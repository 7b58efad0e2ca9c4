/** What was pointed at: the pinned edge, the chosen candidate, and at the end the result; below it what happened. */
import { Fragment, useMemo } from "react";
import type { Genome, Run } from "../api/types";
import { getCandidates, getGenome } from "../api/resources";
import { useResource } from "../api/useResource";
import { GenomeGraph } from "../graph/GenomeGraph";
import { nodeLabel, weightOf } from "../graph/labels";
import { operationColor } from "../graph/palette";
import { RibbonPanel } from "../graph/RibbonPanel";
import { normalisedEntropy } from "../graph/simplex";
import { SimplexPanel } from "../graph/SimplexPanel";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { paths } from "../app/routes";
import { Button, ButtonLink } from "../ui/Button";
import { metric, metricName } from "../ui/format";
import { Doubts } from "../ui/ClassTable";
import { Marked } from "../ui/Marked";
import { Failure, Skeleton } from "../ui/States";
import { ArchitectureLine } from "./ArchitectureLine";
import { derivedContent, derivedEdges } from "./derivedFacts";
import { EntropyGauge } from "./EntropyGauge";
import { EventLog } from "./EventLog";
import { Outcome } from "./Outcome";
import { temperatures } from "./temperature";
import type { Pin } from "./pin";

export interface InspectorProps {
  run: Run;
  store: RunStore;
  pin: Pin | null;
  onPin: (pin: Pin | null) => void;
  candidate: number | null;
  onCandidate: (number: number | null) => void;
}

function EdgeCards({ store, pin }: { store: RunStore; pin: Pin }) {
  useTopic(store, "structure");
  const group = store.family.find((item) => item.name === pin.group);
  const edge = group?.edges[pin.edge];
  const frame = store.frames.get(pin.group)?.at(store.shown);
  const values = useMemo(() => {
    if (!group || !frame) return [];
    const width = group.operations.length;
    return group.operations.map((operation, index) => ({ operation, value: frame.values[pin.edge * width + index] ?? 0 }));
  }, [group, frame, pin.edge]);
  const heat = temperatures(store);
  if (!group || !edge) return <p className="run-hint">This edge is not part of the family.</p>;
  const largest = Math.max(...values.map((item) => item.value), 0.01);
  const derived = derivedEdges(derivedContent(store), group);
  const chosen = derived?.filter((item) => item[0] === edge[0] && item[1] === edge[1]).map((item) => item[2]);
  // A single operation is there or not.
  const chances = values.length === 1 ? [values[0]?.value ?? 0, 1 - (values[0]?.value ?? 0)] : values.map((item) => item.value);
  const sorted = [...values].sort((a, b) => b.value - a.value);
  return (
    <>
      <section className="card">
        <h3>{weightOf(group)} now</h3>
        {values.length > 0 && <EntropyGauge share={normalisedEntropy(chances)} />}
        {values.map(({ operation, value }) => (
          <div className="op-bar" key={operation}>
            <span>{operation}</span>
            <i style={{ width: `${(100 * value) / largest}%`, background: operationColor(operation) }} />
            <em>{value.toFixed(2)}</em>
          </div>
        ))}
      </section>
      <section className="card">
        <h3>{weightOf(group)} over time</h3>
        <RibbonPanel store={store} group={group} edge={pin.edge} />
      </section>
      {values.length > 2 && (
        <section className="card">
          <h3>
            On the simplex <span>top three</span>
          </h3>
          <SimplexPanel store={store} group={group} edge={pin.edge} />
        </section>
      )}
      <section className="card">
        <h3>If derived now</h3>
        <dl className="facts-tight">
          {chosen && (
            <>
              <dt>{chosen.length > 1 ? "operations" : "operation"}</dt>
              <dd>{chosen.join(", ") || "edge not kept"}</dd>
            </>
          )}
          <dt>strongest</dt>
          <dd>{sorted[0] ? `${sorted[0].operation} ${sorted[0].value.toFixed(2)}` : "–"}</dd>
          {heat.map(([name, value]) => (
            <Fragment key={name}>
              <dt>
                <Marked text={metricName(name)} />
              </dt>
              <dd>{metric(value)}</dd>
            </Fragment>
          ))}
          <dt>lead over the second</dt>
          <dd>{sorted[0] && sorted[1] ? (sorted[0].value - sorted[1].value).toFixed(3) : "–"}</dd>
        </dl>
      </section>
    </>
  );
}

/** The folds of a trial that was scored by cross-validation: the score on each, and their standard deviation; null for any other. */
export function foldsOf(metrics: Readonly<Record<string, number>>, measure: string): { values: number[]; deviation: number } | null {
  const values: number[] = [];
  for (let fold = 1; ; fold++) {
    const value = metrics[`${measure}_fold_${fold}`];
    if (value === undefined) break;
    values.push(value);
  }
  const deviation = metrics[`${measure}_sd`];
  return values.length > 0 && deviation !== undefined ? { values, deviation } : null;
}

/** What one candidate's trial measured: asked for where folds were used. */
function FoldFacts({ run, store, number }: { run: Run; store: RunStore; number: number }) {
  const told = store.candidates.status[number] === "completed";
  const trial = useResource(told && Number(run.config?.["folds"] ?? 1) > 1 ? `folds/${run.id}/${number}` : null, (signal) => getCandidates(run.id, number, 1, signal));
  const folds = trial.data && foldsOf(trial.data.results[0]?.metrics ?? {}, run.search_measure.metric);
  if (!folds) return null;
  return (
    <>
      <dt>on each fold</dt>
      <dd>{folds.values.map(metric).join(", ")}</dd>
      <dt title="sample standard deviation, of the folds of one division of the data">sd over {folds.values.length} folds</dt>
      <dd>{metric(folds.deviation)}</dd>
    </>
  );
}

/** The genome of a candidate, with its drawings; undefined where there is no such candidate. */
async function genomeOf(run: string, number: number, signal: AbortSignal): Promise<Genome | undefined> {
  const { results } = await getCandidates(run, number, 1, signal);
  return results[0] && getGenome(results[0].genome, signal);
}

function CandidateCards({ run, store, number }: { run: Run; store: RunStore; number: number }) {
  useTopic(store, "candidates");
  const { candidates } = store;
  const first = candidates.sameAs[number];
  const genome = useResource(first === undefined ? null : `genome/${run.id}/${first}`, (signal) => genomeOf(run.id, first ?? 0, signal));
  const found = genome.data;
  const text = candidates.strings[number] || found?.string;
  const parents = candidates.parents[number] ?? [];
  return (
    <>
      <section className="card">
        <h3>Candidate {number}</h3>
        <dl className="facts-tight">
          <dt title={store.run?.search_measure.unit}>{store.run?.search_measure.name ?? "search score"}</dt>
          <dd>{metric(candidates.values[number])}</dd>
          <FoldFacts run={run} store={store} number={number} />
          <dt>state</dt>
          <dd>
            {candidates.status[number]}
            {candidates.reusedFrom[number] != null && `, reused from ${candidates.reusedFrom[number]}`}
          </dd>
          {candidates.reasons[number] && (
            <>
              <dt>reason</dt>
              <dd>{candidates.reasons[number]}</dd>
            </>
          )}
          <dt>made by</dt>
          <dd>
            {candidates.operators[number]}
            {parents.length > 0 && ` of ${parents.join(" and ")}`}
          </dd>
        </dl>
        <Doubts warnings={candidates.warnings.get(number) ?? []} />
        {text && <ArchitectureLine text={text} genome={found?.id} />}
      </section>
      <section className="card card-graph">
        <h3>Architecture</h3>
        {genome.loading && <Skeleton lines={3} />}
        {genome.error !== undefined && <Failure what="The architecture could not be loaded" error={genome.error} retry={genome.reload} />}
        {found && <GenomeGraph drawings={found.drawings} />}
      </section>
    </>
  );
}

export function Inspector({ run, store, pin, onPin, candidate, onCandidate }: InspectorProps) {
  useTopic(store, "structure");
  const group = pin && store.family.find((item) => item.name === pin.group);
  const edge = pin && group?.edges[pin.edge];
  const title = pin ? (edge ? `Edge ${nodeLabel(String(edge[0]))} → ${nodeLabel(String(edge[1]))}` : "Edge") : candidate !== null ? `Candidate ${candidate}` : "This run";
  const release = pin ? () => onPin(null) : candidate !== null ? () => onCandidate(null) : undefined;
  return (
    <aside className="panel run-inspector" aria-label="Inspector">
      <header className="panel-head">
        <h2>{title}</h2>
        {pin && <span className="note">pinned{group && store.family.length > 1 ? `, ${group.title}` : ""}</span>}
        <div className="panel-actions">
          {release && (
            <Button small kind="quiet" onClick={release} title="Escape">
              {pin ? "Unpin" : "Close"}
            </Button>
          )}
        </div>
      </header>
      <div className="inspector-body">
        {!pin && candidate === null && <Outcome run={run} store={store} />}
        {pin && <EdgeCards store={store} pin={pin} />}
        {!pin && candidate !== null && <CandidateCards run={run} store={store} number={candidate} />}
        {!pin && candidate === null && run.state === "failed" && (
          <section className="card card-bad" role="alert">
            <h3>The run failed</h3>
            <p>{run.reason}</p>
          </section>
        )}
        {!pin && candidate === null && store.family.length > 0 && run.models.length === 0 && (
          <p className="run-hint">Point at a strand to read its weight; click it to pin the edge here with its whole history.</p>
        )}
        {!pin && candidate === null && store.initialPopulation && (
          <section className="card">
            <h3>Initial population</h3>
            <p>{store.initialPopulation}</p>
            <ButtonLink small to={paths.newExperiment({ population: run.id })}>
              Begin others with it
            </ButtonLink>
          </section>
        )}
        {!pin && candidate === null && Object.keys(run.options).length > 0 && (
          <details className="card">
            <summary>Settings</summary>
            <dl className="facts-tight">
              {Object.entries(run.options).map(([name, value]) => (
                <Fragment key={name}>
                  <dt>
                    <Marked text={metricName(name)} />
                  </dt>
                  <dd>{Array.isArray(value) ? value.join(", ") : String(value)}</dd>
                </Fragment>
              ))}
            </dl>
          </details>
        )}
        <section className="card card-log">
          <h3>Events</h3>
          <EventLog store={store} />
        </section>
      </div>
    </aside>
  );
}
