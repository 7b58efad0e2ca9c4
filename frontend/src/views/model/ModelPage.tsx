/** One finished model: its scores and files, a box to try it, its training, its architecture. */
import { getModel } from "../../api/resources";
import { useResource } from "../../api/useResource";
import { Link } from "../../app/router";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { Panel } from "../../ui/Panel";
import { Failure, Skeleton } from "../../ui/States";
import { ModelCard } from "../ModelsPage";
import { Architecture } from "./Architecture";
import { TrainingCurves } from "./TrainingCurves";
import { TryIt } from "./TryIt";

export function ModelPage({ id }: { id: string }) {
  const found = useResource(`model ${id}`, (signal) => getModel(id, signal));
  const model = found.data;
  useTitle(model ? `Model of ${model.experiment.name}` : "Model");
  if (found.error !== undefined && !model) {
    return (
      <div className="page">
        <Failure what="The model did not load" error={found.error} retry={found.reload} />
      </div>
    );
  }
  if (!model) {
    return (
      <div className="page">
        <Skeleton lines={8} label="Loading the model" />
      </div>
    );
  }
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{model.title ? model.title.charAt(0).toUpperCase() + model.title.slice(1) : "Model"}</h1>
          <p>
            Of <Link to={paths.run(model.run)}>{model.experiment.name}</Link>, seed {model.seed}. <Link to={paths.models}>All models</Link>
          </p>
        </div>
      </div>
      <Panel title="Try it">
        <TryIt model={model.id} />
      </Panel>
      <ModelCard model={model} alone />
      <Panel title="Training" note="the final one, on training data; the test part is not in it">
        <TrainingCurves model={model.id} />
      </Panel>
      <Panel title="Architecture">
        <Architecture model={model} />
      </Panel>
    </div>
  );
}
