/** Beside the score of a model that is one of several trainings, or all of them together: what each of them has. */
import type { Model } from "../api/types";
import { metric } from "../ui/format";
import { overSeeds } from "./seedScores";
import "./retrain.css";

export function SeedScores({ model }: { model: Model }) {
  const found = overSeeds(model);
  if (found.length === 0) return null;
  return (
    <table className="seed-scores">
      <caption>Its trainings from different seeds, each tested once. Nothing was chosen by a test score.</caption>
      <thead>
        <tr>
          <th scope="col">score</th>
          <th scope="col">mean ± standard error</th>
          <th scope="col">each</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ name, values, mean, error }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td data-testid="seeds-mean">
              {metric(mean)}
              {error !== null && ` ± ${metric(error)}`} (n = {values.length})
            </td>
            <td>{values.map(metric).join(", ")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
