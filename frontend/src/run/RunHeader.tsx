/** The bar above the panels: which run, in which state and why, how far, and what one can do. */
import { useState } from "react";
import { cancelRun, cloneRun, deleteRun, modelDownloadUrl, pauseRun, resumeRun, runExportUrl } from "../api/resources";
import type { Options, Run } from "../api/types";
import { Link, navigate, useQueryState } from "../app/router";
import { paths } from "../app/routes";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { Button } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { bytes, exact, metric, timeLeft } from "../ui/format";
import { inFull, selection } from "../ui/scoreKinds";
import { StateChip } from "../ui/StateChip";
import { toast } from "../ui/toast";
import { useAction } from "../ui/useAction";
import { domainNames } from "../views/datasetText";
import { alsoChargedText, amountText, architecturesText, chargedKind, foldsText, stateWord, testScores, togetherText } from "../views/experimentText";
import { skipConnections } from "./derivedFacts";
import { GoOn } from "./GoOn";
import { LineageNote } from "./LineageNote";
import { RESULT } from "./Outcome";
import { bestName } from "./valueNames";

const PAUSABLE = new Set(["queued", "running"]);
const ENDED = new Set(["completed", "failed", "cancelled"]);

export function stateText(run: Run): string {
  if (run.state === "queued") return run.worker ? "queued" : "waiting for a worker";
  if (run.elsewhere && run.state === "paused") return stateWord(run);
  if (run.state === "running") {
    const text = run.progress.text === "queued" ? "starting" : run.progress.text;
    if (run.ending && run.phase !== "Finale") return "finishing: the search ends, its best network is trained";
    const running = run.elsewhere ? "running in its own process" : "running";
    return text ? `${running}, ${text}` : running;
  }
  const reason = run.reason.replace(/^finished: /, "");
  // "paused by its owner" says the state itself.
  if (!reason || run.state === "failed" || reason.startsWith(run.state)) return reason && run.state !== "failed" ? reason : run.state;
  return `${run.state}: ${reason}`;
}

/** "Go on with it ..." of "interrupted: go on with it ...". */
function howOn(reason: string): string {
  const text = reason.replace(/^interrupted: /, "");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function Stat({ name, children, tone, title }: { name: string; children: React.ReactNode; tone?: "warn"; title?: string }) {
  return (
    <div className="stat" title={title}>
      <span>{name}</span>
      <strong className={tone ? `tone-${tone}` : undefined}>{children}</strong>
    </div>
  );
}

function spent(run: Run): string {
  const kind = chargedKind(run);
  const charged = amountText(kind, run.charged[kind]);
  return run.budget ? `${charged} of ${amountText(kind, run.budget.limit)}` : charged;
}

export function RunHeader({ run, store }: { run: Run; store: RunStore }) {
  useTopic(store, "structure");
  const { busy, act: doing } = useAction();
  const [asking, setAsking] = useState<"cancel" | "delete" | null>(null);
  const act = async (name: string, action: () => Promise<unknown>, after?: () => void) => {
    await doing(async () => {
      const answer = await action();
      if (answer && typeof answer === "object" && "state" in answer && "id" in answer && (answer as Run).id === run.id) store.setRun(answer as Run);
      after?.();
    }, name);
    setAsking(null);
  };
  const clone = () =>
    act("clone", async () => {
      const made = await cloneRun(run.id);
      toast(`Cloned with seed ${made.seed}: another seed, the same settings.`);
      navigate(paths.run(made.id));
    });
  const models = run.models.filter((item) => item.role === "finalist" && item.bundle && !item.bundle.damage);
  const [model] = models;
  const [, setEdge] = useQueryState("edge");
  const [, setCandidate] = useQueryState("candidate");
  const showResult = () => {
    setEdge(null);
    setCandidate(null);
    requestAnimationFrame(() => document.getElementById(RESULT)?.focus());
  };
  const left = timeLeft(run.progress);
  const skips = skipConnections(store);
  const together = togetherText(run.config?.["together"]);
  const folds = foldsText(run.config?.["folds"]);
  const tests = testScores(run);
  const given = run.config?.["model"] as { title: string } | undefined;
  const data = domainNames(run.datasets, run.config?.["dataset_options"] as Options[] | undefined);
  return (
    <div className="run-bar">
      <div className="run-name">
        <div className="run-crumb">
          <Link to={paths.experiment(run.experiment.id)}>{run.experiment.name}</Link> · {data.join(" then ")} · {run.space} · seed {run.seed}
        </div>
        <h1>{run.algorithm.title}</h1>
        <LineageNote run={run} />
      </div>
      <StateChip state={run.state} text={stateText(run)} reason={run.reason} />
      {/* Values of different tasks do not compare: then only the tests are shown. */}
      {run.search_score && tests.length < 2 && (
        <Stat name={["search", bestName(run), selection(run.search_score)].filter(Boolean).join(", ")} title={inFull(run.search_score)}>
          {metric(run.search_score.value)}
        </Stat>
      )}
      {tests[0] && (
        <Stat name={tests.length > 1 ? "tests, once each" : `${tests[0].name}, once`} title={tests.map(inFull).join("\n")}>
          {tests.map((score) => metric(score.value)).join(" · ")}
        </Stat>
      )}
      <Stat name={chargedKind(run) === "flops" ? "FLOPs" : chargedKind(run)} title={alsoChargedText(run)}>
        {spent(run)}
      </Stat>
      {run.counts.trials > 0 && (
        <Stat name="architectures" title="distinct ones that were tried, up to isomorphism; a repeat takes the result of an earlier trial and is not trained again">
          {architecturesText(run)}
        </Stat>
      )}
      {run.counts.failed > 0 && (
        <Stat name="failed trials" tone="warn">
          {exact(run.counts.failed)} of {exact(run.counts.trials)}
        </Stat>
      )}
      {run.state === "running" && left !== null && <Stat name="time left">{left}</Stat>}
      {run.worker && !ENDED.has(run.state) && (
        <Stat name="worker">
          {run.worker.name} · {run.worker.threads} {run.worker.threads === 1 ? "thread" : "threads"}
        </Stat>
      )}
      {folds !== null && <Stat name="candidates scored by">{folds}</Stat>}
      {together !== null && <Stat name="trained together">{together}</Stat>}
      {given && (
        <Stat name="begun with" title={given.title}>
          a model
        </Stat>
      )}
      {skips && (
        <Stat name="skip connections" {...(skips.count * 4 >= skips.total && skips.count > 1 ? { tone: "warn" as const } : {})}>
          {skips.count} of {skips.total}
        </Stat>
      )}
      {!run.reproducible && (
        <span className="run-note" title={run.reproducible_note}>
          not reproducible
        </span>
      )}
      <div className="run-actions">
        {run.elsewhere && (
          <span className="run-note-plain" title={`Its folder: ${run.elsewhere}`}>
            {run.state === "paused" ? howOn(run.reason) : "Stop it, and go on with it, where it was started."}
          </span>
        )}
        {!run.elsewhere && (PAUSABLE.has(run.state) || run.resumes_itself) && (
          <Button busy={busy === "pause"} onClick={() => void act("pause", () => pauseRun(run.id))}>
            {run.resumes_itself ? "Stay paused" : "Pause"}
          </Button>
        )}
        {!run.elsewhere && (run.state === "paused" || run.state === "pausing") && (
          <Button kind={run.state === "paused" ? "primary" : "plain"} busy={busy === "resume"} onClick={() => void act("resume", () => resumeRun(run.id))}>
            Resume
          </Button>
        )}
        <GoOn run={run} onRun={(changed) => store.setRun(changed)} />
        {!ENDED.has(run.state) && !run.elsewhere && <Button onClick={() => setAsking("cancel")}>Cancel</Button>}
        <Button busy={busy === "clone"} onClick={() => void clone()}>
          Clone
        </Button>
        {ENDED.has(run.state) && (
          <a className="button" href={runExportUrl(run.id)} download title="One file with its events, scores and models, to be opened elsewhere">
            Export
          </a>
        )}
        {(ENDED.has(run.state) || (run.elsewhere && run.state === "paused")) && <Button onClick={() => setAsking("delete")}>Delete</Button>}
        {models.length > 1 && (
          <Button kind="primary" onClick={showResult}>
            {models.length} downloads
          </Button>
        )}
        {models.length === 1 && model?.bundle && (
          <a
            className="button button-primary"
            href={modelDownloadUrl(model.id)}
            download
            title={`zip, ${bytes(model.bundle.size)}, sha256 ${model.bundle.sha256}`}
          >
            Download best
          </a>
        )}
      </div>
      {asking === "cancel" && (
        <Confirm title="Cancel this run?" verb="Cancel the run" busy={busy === "cancel"} onConfirm={() => void act("cancel", () => cancelRun(run.id))} onClose={() => setAsking(null)}>
          What was found so far stays. Open trials are not told, and there is no final training. A cancelled run cannot go on.
        </Confirm>
      )}
      {asking === "delete" && (
        <Confirm
          title="Delete this run?"
          verb="Delete the run"
          busy={busy === "delete"}
          onConfirm={() => void act("delete", () => deleteRun(run.id), () => navigate(paths.experiment(run.experiment.id)))}
          onClose={() => setAsking(null)}
        >
          {run.elsewhere ? "Only what is shown here will be gone: its folder stays as it is, and the search can go on there." : "Its events, genomes, trials and model will be gone."}
        </Confirm>
      )}
    </div>
  );
}
