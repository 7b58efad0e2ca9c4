/** What can be done with a search beyond waiting for it: end it and have the best, train the best so far, give it more budget. */
import { useState } from "react";
import { bestOfRun, finishRun } from "../api/resources";
import type { Run } from "../api/types";
import { navigate } from "../app/router";
import { paths } from "../app/routes";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { toast } from "../ui/toast";
import { useAction } from "../ui/useAction";
import { MoreBudget } from "./MoreBudget";

const ENDED = new Set(["completed", "failed", "cancelled"]);
const FINALE = "Finale";

/** Whether the search itself is under way here, and not yet what comes after it. */
const searches = (run: Run): boolean => !run.elsewhere && run.started !== null && !ENDED.has(run.state) && run.state !== "queued" && run.phase !== FINALE;

export function GoOn({ run, onRun }: { run: Run; onRun: (run: Run) => void }) {
  const [asking, setAsking] = useState<"more" | "finish" | "best" | null>(null);
  const { busy, act } = useAction();
  const close = () => setAsking(null);
  const finish = () => act(async () => onRun(await finishRun(run.id))).then(close);
  const best = () =>
    act(async () => {
      const made = await bestOfRun(run.id);
      toast("The best so far is trained as an experiment of its own.");
      navigate(paths.run(made.runs[0]?.id ?? ""));
    }).then(close);
  return (
    <>
      {searches(run) && !run.ending && <Button onClick={() => setAsking("finish")}>Finish now</Button>}
      {run.started !== null && <Button onClick={() => setAsking("best")}>Train the best so far</Button>}
      {ENDED.has(run.state) && <Button onClick={() => setAsking("more")}>More budget…</Button>}
      {asking === "more" && <MoreBudget run={run} onClose={close} />}
      {asking === "finish" && (
        <Ask title="Finish this search now?" verb="Finish now" busy={busy !== ""} onYes={() => void finish()} onClose={close}>
          The search ends where it is, as if its budget were used up: what is being tried is still told, the best architecture is trained and tested once. A paused run resumes
          for it. Another run of this seed would not end at the same place, so this one is marked as not reproducible. When it is over it can be given more budget, if its search can go
          on at all.
        </Ask>
      )}
      {asking === "best" &&
        (run.no_best ? (
          <Dialog title="Train the best so far" onClose={close} actions={<Button onClick={close}>Close</Button>}>
            <p>The best of this run cannot be trained so: {run.no_best}.</p>
          </Dialog>
        ) : (
          <Ask title="Train the best so far?" verb="Train it" busy={busy !== ""} onYes={() => void best()} onClose={close}>
            A new experiment trains the best architecture that this search knows now, on the same data and as its own finale would, tests it once and offers the download. The search
            itself is not touched. The test part is opened once more for it.
          </Ask>
        ))}
    </>
  );
}

function Ask({ title, verb, busy, children, onYes, onClose }: { title: string; verb: string; busy: boolean; children: React.ReactNode; onYes: () => void; onClose: () => void }) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button kind="primary" busy={busy} onClick={onYes}>
            {verb}
          </Button>
        </>
      }
    >
      <p>{children}</p>
    </Dialog>
  );
}
