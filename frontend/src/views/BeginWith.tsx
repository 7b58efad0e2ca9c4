/** What one can begin with a finished network: one button for each search that can, and its architecture's training once more. */
import type { Model } from "../api/types";
import { paths } from "../app/routes";
import { ButtonLink } from "../ui/Button";
import { canBeTrained } from "./retraining";
import { TrainAgain } from "./TrainAgain";

export function BeginWith({ model }: { model: Model }) {
  if (model.begins.length === 0 && !canBeTrained(model)) return null;
  return (
    <div className="row" role="group" aria-label="Go on from this network">
      {model.begins.map((item) => (
        <ButtonLink key={item.algorithm} small title={`${item.label} this network: ${item.title}`} to={paths.newExperiment({ model: model.id, algorithm: item.algorithm })}>
          {item.label}
        </ButtonLink>
      ))}
      <TrainAgain model={model} />
    </div>
  );
}
