import { getRun } from "../api/resources";
import { useResource } from "../api/useResource";
import { StateChip } from "../ui/StateChip";

export function RunPage({ runId }: { runId: string }) {
  const run = useResource(`run/${runId}`, (signal) => getRun(runId, signal), 2000);
  return <div className="page">{run.data && <StateChip state={run.data.state} reason={run.data.reason} />}</div>;
}
