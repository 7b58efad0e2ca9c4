/** Where the architecture of an experiment comes from that trains a finished model's again. */
import { ApiError } from "../api/problem";
import { getModel } from "../api/resources";
import { useResource } from "../api/useResource";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { metric } from "../ui/format";

export function RetrainedFrom({ model: id }: { model: string }) {
  const { data: model, error } = useResource(`model ${id}`, (signal) => getModel(id, signal));
  if (error instanceof ApiError && error.status === 404) return <p className="muted">Retrained from a model that was deleted since.</p>;
  if (!model) return null;
  return (
    <p className="muted">
      Retrained from the model of{" "}
      <Link to={paths.run(model.run)}>
        {model.experiment.name}, seed {model.seed}
      </Link>
      {model.test_score && `, whose ${model.test_score.name} was ${metric(model.test_score.value)} (${model.test_score.fidelity.text})`}. The test part is the same, so both scores are visits to it.
    </p>
  );
}
