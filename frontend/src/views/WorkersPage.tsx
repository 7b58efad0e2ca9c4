import { getPlugins, getWorkers } from "../api/resources";
import type { Worker } from "../api/types";
import { useResource } from "../api/useResource";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { CodeBlock } from "../ui/Copy";
import { Panel } from "../ui/Panel";
import { Chip } from "../ui/StateChip";
import { Empty, Failure, Skeleton } from "../ui/States";
import { ago, moment, plural } from "../ui/format";
import { PluginsLeftOut } from "./PluginsLeftOut";

const JOBS: Record<string, string> = {
  advance: "telling results, asking for proposals",
  trial: "training a candidate",
  phase: "searching",
  final: "retraining a finalist",
  estimate: "estimating the cost of an experiment",
  rebuild: "making a damaged download again",
};

function Row({ worker }: { worker: Worker }) {
  const { job } = worker;
  return (
    <tr>
      <th scope="row">
        {worker.name}
        <span className="sub">
          {worker.host} · process {worker.pid}
        </span>
      </th>
      <td>{worker.alive ? <Chip tone={job ? "good" : "neutral"} live={job !== null}>{job ? "working" : "idle"}</Chip> : <Chip tone="bad">silent</Chip>}</td>
      <td>
        {worker.device}
        <span className="sub">{plural(worker.threads, "thread")}</span>
      </td>
      <td>
        {job === null ? <span className="faint">nothing</span> : (JOBS[job.kind] ?? job.kind)}
        {job !== null && (
          <span className="sub">{job.run ? <Link to={paths.run(job.run)}>Open its run</Link> : job.id === null && "for somebody else"}</span>
        )}
      </td>
      <td className="num muted" title={moment(worker.last_seen)}>
        {ago(worker.last_seen)}
      </td>
    </tr>
  );
}

export function WorkersPage() {
  useTitle("Workers");
  const workers = useResource("workers", getWorkers, 2000);
  const plugins = useResource("plugins", getPlugins);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Workers</h1>
          <p>Workers train in short slices and share their time fairly between runs. How many there are changes the speed of a search, and its result only where its budget is in seconds.</p>
        </div>
      </div>
      <Panel flush>
        {workers.loading ? (
          <Skeleton label="Loading workers" />
        ) : workers.data === undefined ? (
          <Failure what="The workers did not load" error={workers.error} retry={workers.reload} />
        ) : workers.data.length === 0 ? (
          <Empty title="No worker is alive">Runs wait in the queue until one starts. Start one with the command below.</Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Worker</th>
                <th scope="col">State</th>
                <th scope="col">Device</th>
                <th scope="col">Now</th>
                <th scope="col" className="num">
                  Last heard of
                </th>
              </tr>
            </thead>
            <tbody>
              {workers.data.map((worker) => (
                <Row key={worker.id} worker={worker} />
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      <PluginsLeftOut plugins={plugins.data ?? []} />
      <Panel title="Start another worker" note="on this machine, or on any that reaches the same database and broker">
        <div className="stack">
          <CodeBlock text="python -m webapp worker --device cpu" label="Command for a CPU worker" />
          <CodeBlock text="python -m webapp worker --device cuda:0" label="Command for a GPU worker" />
        </div>
      </Panel>
    </div>
  );
}
