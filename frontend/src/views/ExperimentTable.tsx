import { Link } from "../app/router";
import { paths } from "../app/routes";
import type { Experiment } from "../api/types";
import { StateChip } from "../ui/StateChip";
import { ScoreValue } from "../ui/ScoreValue";
import { ago, DASH, moment, plural } from "../ui/format";
import { ACTIVE, algorithmTitles, leadingScore, STATE_ORDER, stateWord } from "./experimentText";

function Row({ experiment }: { experiment: Experiment }) {
  const score = leadingScore(experiment);
  const only = experiment.runs.length === 1 ? experiment.runs[0] : undefined;
  return (
    <tr>
      <th scope="row">
        <Link to={only ? paths.run(only.id) : paths.experiment(experiment.id)}>{experiment.name}</Link>
        <span className="sub">
          {algorithmTitles(experiment).join(", ")} · {experiment.space} on {[...new Set(experiment.datasets)].join(", ")}
        </span>
      </th>
      <td>
        <Link to={paths.experiment(experiment.id)} className="muted">
          {plural(experiment.runs.length, "run")}
        </Link>
      </td>
      <td>
        <span className="row">
          {STATE_ORDER.filter((state) => experiment.states[state]).map((state) => (
            <StateChip
              key={state}
              state={state}
              text={only ? stateWord(only) : `${experiment.states[state]} ${state}`}
              {...(only ? { reason: only.reason } : {})}
            />
          ))}
        </span>
      </td>
      <td className="num">
        {score ? (
          <>
            <ScoreValue score={score} unit />
            {score.kind === "validation" && <span className="sub">finished network</span>}
          </>
        ) : experiment.runs.some((run) => run.search_score ?? run.validation_score) ? (
          <span className="faint">several measures</span>
        ) : (
          <span className="faint">{experiment.runs.some((run) => ACTIVE.has(run.state)) ? "none yet" : DASH}</span>
        )}
      </td>
      <td className="num muted" title={moment(experiment.created)}>
        {ago(experiment.created)}
      </td>
    </tr>
  );
}

/** Experiments, newest first. */
export function ExperimentTable({ experiments }: { experiments: Experiment[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Experiment</th>
          <th scope="col">Runs</th>
          <th scope="col">State</th>
          <th scope="col" className="num">
            Best score, and what it is
          </th>
          <th scope="col" className="num">
            Started
          </th>
        </tr>
      </thead>
      <tbody>
        {experiments.map((experiment) => (
          <Row key={experiment.id} experiment={experiment} />
        ))}
      </tbody>
    </table>
  );
}
