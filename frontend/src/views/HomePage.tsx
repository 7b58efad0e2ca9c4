import { useRef, useState } from "react";
import { getExperiments, getPresets, createExperiment } from "../api/resources";
import type { Preset } from "../api/types";
import { useResource } from "../api/useResource";
import { Link, navigate } from "../app/router";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { Button, ButtonLink } from "../ui/Button";
import { Panel } from "../ui/Panel";
import { Empty, Failure, Skeleton } from "../ui/States";
import { toastError } from "../ui/toast";
import { ExperimentTable } from "./ExperimentTable";
import { FamilySketch } from "./FamilySketch";
import { newKey } from "./newKey";
import "./home.css";

const RECENT = 8;

/** The first ready-made search is the large one with the drawing. */
function PresetCard({ preset, main = false }: { preset: Preset; main?: boolean }) {
  const [busy, setBusy] = useState(false);
  const key = useRef(newKey());
  const absent = preset.missing_files ?? [];
  const start = async () => {
    setBusy(true);
    try {
      const experiment = await createExperiment(preset.experiment, key.current);
      const only = experiment.runs.length === 1 ? experiment.runs[0] : undefined;
      navigate(only ? paths.run(only.id) : paths.experiment(experiment.id));
    } catch (error) {
      toastError(error);
      key.current = newKey();
      setBusy(false);
    }
  };
  return (
    <article className={main ? "start-card start-card-main" : "start-card"}>
      {main && <FamilySketch />}
      <div className="start-text">
        <h2>{preset.title}</h2>
        <p>{preset.description}</p>
        {absent.length > 0 && <p className="muted">It needs data that are not here: {absent.join(", ")}. The data page says where they go.</p>}
        <div className="row">
          <Button kind={main ? "primary" : "plain"} busy={busy} disabled={absent.length > 0} onClick={start}>
            {busy ? "Starting" : "Start and watch"}
          </Button>
          <ButtonLink kind="quiet" to={paths.newExperiment({ preset: preset.id })}>
            Change it first
          </ButtonLink>
        </div>
      </div>
    </article>
  );
}

function NewCard() {
  return (
    <article className="start-card">
      <div className="start-text">
        <h2>New experiment</h2>
        <p>Choose the data, the search space, one or several algorithms and a budget. Every setting says what it does.</p>
        <div className="row">
          <ButtonLink to={paths.newExperiment()}>New experiment</ButtonLink>
          <ButtonLink kind="quiet" to={paths.architecture()}>
            Paste an architecture
          </ButtonLink>
        </div>
      </div>
    </article>
  );
}

/** The first page: something to start at once, then what was started before. */
export function HomePage() {
  useTitle("");
  const presets = useResource("presets", getPresets);
  const experiments = useResource("experiments/recent", (signal) => getExperiments(null, signal, RECENT), 4000);
  const recent = experiments.data?.results;
  const [first, ...others] = presets.data ?? [];
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Search for the structure of a network, and watch it happen</h1>
          <p>Start a search, see the architecture evolve as a graph, and download the best model as a program of its own.</p>
        </div>
      </div>
      <div className="start-cards">
        {presets.loading && (
          <div className="start-card start-card-main">
            <Skeleton label="Loading the ready-made searches" />
          </div>
        )}
        {presets.error !== undefined && (
          <div className="start-card">
            <Failure what="The ready-made searches did not load" error={presets.error} retry={presets.reload} />
          </div>
        )}
        {first && <PresetCard preset={first} main />}
        <NewCard />
      </div>
      {others.length > 0 && (
        <div className="start-cards start-cards-more">
          {others.map((preset) => (
            <PresetCard key={preset.id} preset={preset} />
          ))}
        </div>
      )}
      <Panel
        title="Recent experiments"
        flush
        {...(experiments.data?.next ? { actions: <Link to={paths.experiments}>All experiments</Link> } : {})}
      >
        {experiments.loading ? (
          <Skeleton label="Loading experiments" />
        ) : recent === undefined ? (
          <Failure what="The experiments did not load" error={experiments.error} retry={experiments.reload} />
        ) : recent.length === 0 ? (
          <Empty title="Nothing here yet">
            Start a ready-made search above: its card says how long it took where it was measured.
          </Empty>
        ) : (
          <ExperimentTable experiments={recent} />
        )}
      </Panel>
    </div>
  );
}
