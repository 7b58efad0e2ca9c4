import { lazy, Suspense, useState } from "react";
import { ApiError } from "../api/problem";
import { deleteExperiment, experimentExportUrl, getExperiment } from "../api/resources";
import type { Experiment } from "../api/types";
import { useResource } from "../api/useResource";
import { Link, navigate } from "../app/router";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { Button, ButtonLink } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Panel } from "../ui/Panel";
import { Empty, Failure, Skeleton } from "../ui/States";
import { moment, plural } from "../ui/format";
import { toast, toastError } from "../ui/toast";
import { AlgorithmComparison } from "./AlgorithmComparison";
import { domainNames } from "./datasetText";
import { ACTIVE, budgetText, finaleOf, foldsText, togetherText, visitsText } from "./experimentText";
import { ImportedNote } from "./ImportedNote";
import { RetrainedFrom } from "./RetrainedFrom";
import { RunTable } from "./RunTable";
import "./experiment.css";

const RunCharts = lazy(() => import("../compare/RunCharts").then((module) => ({ default: module.RunCharts })));

/** What the runs of an experiment have in common, and what they have not. */
function equalText(budget: Experiment["budget"]): string {
  if (!budget) return "the same data and space; each ends where its own settings say, so what they spent differs";
  const unit = { trials: "trials", samples: "samples", flops: "FLOPs", seconds: "device time" }[budget.kind];
  return `the same data and space, budgets equal in ${unit}; what that took otherwise stands below each`;
}

const POLL_ACTIVE = 2000;
const POLL_REST = 15_000;

function Actions({ experiment }: { experiment: Experiment }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const active = experiment.runs.some((run) => ACTIVE.has(run.state));
  const remove = async () => {
    setBusy(true);
    try {
      await deleteExperiment(experiment.id);
      toast(`'${experiment.name}' was deleted.`);
      navigate(paths.experiments);
    } catch (error) {
      toastError(error);
      setBusy(false);
      setAsking(false);
    }
  };
  return (
    <div className="actions">
      <ButtonLink to={paths.newExperiment({ experiment: experiment.id })}>Start one like it</ButtonLink>
      {experiment.runs.length > 0 &&
        (active || experiment.runs.some((run) => run.state === "paused") ? (
          <Button disabled title="Every run must have ended: what is exported is finished">
            Export
          </Button>
        ) : (
          <a className="button" href={experimentExportUrl(experiment.id)} download title="One file with every run's events, scores and models, to be opened elsewhere">
            Export
          </a>
        ))}
      <Button kind="danger" onClick={() => setAsking(true)}>
        Delete
      </Button>
      {asking && (
        <Confirm title={`Delete '${experiment.name}'?`} verb="Delete it" busy={busy} onConfirm={() => void remove()} onClose={() => setAsking(false)}>
          {plural(experiment.runs.length, "run")} with every event, genome and model will be gone.
          {experiment.runs.some((run) => ACTIVE.has(run.state) && !run.elsewhere) && " Some of them are still working; they are stopped first."}
          {experiment.runs.some((run) => run.elsewhere) && " What another process searches is not stopped, and its folder stays as it is."}
        </Confirm>
      )}
    </div>
  );
}

/** One experiment: its runs compared under one space, one data set and one budget. */
export function ExperimentPage({ id }: { id: string }) {
  const [active, setActive] = useState(true);
  const experiment = useResource(
    `experiment/${id}`,
    async (signal) => {
      const answer = await getExperiment(id, signal);
      setActive(answer.runs.some((run) => ACTIVE.has(run.state)));
      return answer;
    },
    active ? POLL_ACTIVE : POLL_REST,
  );
  const data = experiment.data;
  useTitle(data?.name ?? "Experiment");
  if (data === undefined) {
    const gone = experiment.error instanceof ApiError && experiment.error.status === 404;
    return (
      <div className="page">
        {experiment.loading ? (
          <Skeleton lines={6} label="Loading the experiment" />
        ) : gone ? (
          <Empty heading="h1" title="There is no such experiment" actions={<ButtonLink to={paths.experiments}>All experiments</ButtonLink>}>
            It was deleted, or it belongs to somebody else.
          </Empty>
        ) : (
          <Failure what="The experiment did not load" error={experiment.error} retry={experiment.reload} />
        )}
      </div>
    );
  }
  const together = togetherText(data.config.runtime?.together);
  const folds = foldsText(data.config.folds);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <Link className="crumb" to={paths.experiments}>
            Experiments
          </Link>
          <h1>{data.name}</h1>
        </div>
        <Actions experiment={data} />
      </div>
      {data.imported && <ImportedNote from={data.imported} elsewhere={data.runs.find((run) => run.elsewhere)?.elsewhere} />}
      {data.config.retrains && <RetrainedFrom model={data.config.retrains} />}
      <dl className="experiment-facts">
        <div className="stat">
          <dt>data</dt>
          <dd>{domainNames(data.datasets, data.config.dataset_options).join(" then ")}</dd>
        </div>
        <div className="stat">
          <dt>search space</dt>
          <dd>{data.space}</dd>
        </div>
        <div className="stat">
          <dt>budget of each run</dt>
          <dd>{budgetText(data.budget)}</dd>
        </div>
        {folds !== null && (
          <div className="stat">
            <dt>candidates are scored by</dt>
            <dd>{folds}</dd>
          </div>
        )}
        {together !== null && (
          <div className="stat">
            <dt>trials trained together</dt>
            <dd>{together}</dd>
          </div>
        )}
        <div className="stat">
          <dt>{data.seeds.length === 1 ? "seed" : "seeds"}</dt>
          <dd>{data.seeds.length > 8 ? `${data.seeds.length} seeds` : data.seeds.join(", ")}</dd>
        </div>
        <div className="stat">
          <dt>{data.imported && !data.runs.some((run) => run.elsewhere) ? "opened" : "started"}</dt>
          <dd>{moment(data.created)}</dd>
        </div>
      </dl>
      <Panel title="Runs" note={data.runs.length > 1 ? equalText(data.budget) : undefined} flush>
        {data.runs.length === 0 ? <Empty title="No runs left">Every run of this experiment was deleted.</Empty> : <RunTable runs={data.runs} algorithms={data.config.algorithms ?? []} />}
      </Panel>
      {data.runs.some((run) => finaleOf(run).random.length > 0) && (
        <p className="muted">
          Below each test score stands the mean of random architectures of about the same size, finished in the same way, with its 95 %
          interval: what the search space gives without a search.
        </p>
      )}
      {data.test_visits > 0 && (
        <p className="muted">
          {visitsText({ run: 0, experiment: data.test_visits, data: Math.max(data.test_visits, ...data.runs.map((run) => run.test_visits.data)), part: data.runs[0]?.test_visits.part ?? data.datasets[0] ?? "", further: data.runs[0]?.test_visits.further ?? [] }, data.datasets.length)}
        </p>
      )}
      {(data.unused ?? []).map((text) => (
        <p key={text} className="muted">
          {text}
        </p>
      ))}
      <AlgorithmComparison runs={data.runs} />
      <Suspense>
        <RunCharts experiment={data.id} runs={data.runs} />
      </Suspense>
    </div>
  );
}
