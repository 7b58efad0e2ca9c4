/** Asks for more budget for a search that is over: how much, what that does, what it takes, and that the test part is opened once more. */
import { useState } from "react";
import { messageOf } from "../api/problem";
import { getRun, moreOfRun } from "../api/resources";
import type { Run } from "../api/types";
import { useResource } from "../api/useResource";
import { navigate } from "../app/router";
import { paths } from "../app/routes";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { about } from "../ui/format";
import { toast } from "../ui/toast";
import { amountOf } from "../views/experimentText";
import { moreProblem, ordinal } from "./lineage";

export function MoreBudget({ run, onClose }: { run: Run; onClose: () => void }) {
  const { unit, have, why_not } = run.more;
  const [text, setText] = useState(() => String(unit === "trials" || have >= 1 ? Math.max(1, Math.round(have)) : have));
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState("");
  // What it took and who went on with it are told of one run alone, and newest when they are asked for.
  const detail = useResource(`more ${run.id}`, (signal) => getRun(run.id, signal));
  const problem = moreProblem(unit, text);
  const close = <Button onClick={onClose}>{unit ? "Not now" : "Close"}</Button>;
  if (!unit) {
    return (
      <Dialog title="More budget" onClose={onClose} actions={close}>
        <p>This search cannot go on: {why_not}.</p>
      </Dialog>
    );
  }
  const more = Number(text);
  const goOn = async () => {
    setBusy(true);
    try {
      const made = await moreOfRun(run.id, unit, more);
      toast(`Goes on at ${amountOf(unit, have)}, with ${amountOf(unit, more)} more.`);
      navigate(paths.run(made.id));
    } catch (error) {
      setRefused(messageOf(error));
      setBusy(false);
    }
  };
  const took = detail.data?.took;
  const visits = (detail.data?.lineage ?? []).filter((one) => one.test_visits > 0).length + (run.test_visits.run > 0 ? 1 : 0);
  return (
    <Dialog
      title="More budget"
      onClose={onClose}
      actions={
        <>
          {close}
          <Button kind="primary" type="submit" form="more-budget" busy={busy} disabled={problem !== ""}>
            Go on
          </Button>
        </>
      }
    >
      <form
        id="more-budget"
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === "") void goOn();
        }}
      >
        <div className="row">
          <label htmlFor="more-amount">Further {unit}</label>
          <input
            id="more-amount"
            className="input"
            inputMode="decimal"
            autoComplete="off"
            value={text}
            aria-invalid={problem !== "" || refused !== "" || undefined}
            aria-describedby="more-what"
            onChange={(event) => {
              setText(event.target.value);
              setRefused("");
            }}
          />
        </div>
      </form>
      <div id="more-what">
        {problem || refused ? (
          <p className="error-text" role="alert">
            {problem || refused}
          </p>
        ) : (
          <p>
            A new run of this experiment goes on where this search was cut, at {amountOf(unit, have)}, and does what one search of {amountOf(unit, have + more)} would
            have done: the same settings, the same seed.
          </p>
        )}
        {took && took.search > 0 && problem === "" && (
          <p>
            The search so far took {about(took.search)} of workers: at that pace {amountOf(unit, more)} more take {about((took.search / have) * more)}
            {took.finale > 0 ? `, and the finale after it ${about(took.finale)}` : ""}.
          </p>
        )}
        {visits > 0 && <p>Its finale opens the test part of {run.test_visits.part} again: the {ordinal(visits + 1)} visit of this search. The more visits, the less the best of their scores says.</p>}
      </div>
    </Dialog>
  );
}
