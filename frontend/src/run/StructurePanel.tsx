/** What the search believes: the super-network, the growing graph, the best genome; at the end the architecture that was found. */
import { useQueryState } from "../app/router";
import { SaveMenu } from "../pictures/SaveMenu";
import type { PictureProps } from "../pictures/picture";
import { said, viewsOf } from "../pictures/views";
import { useSelect } from "../stream/useRun";
import { Segmented } from "../ui/Segmented";
import { Empty } from "../ui/States";
import { waitingText } from "./waiting";

export function StructurePanel(props: Omit<PictureProps, "part">) {
  const { run, store } = props;
  // Which views there are changes rarely; the pictures inside follow their own topics.
  useSelect(store, ["run", "structure", "growth", "candidates", "end"], (item) => viewsOf(item, "structure").map((view) => view.key).join(" "));
  useSelect(store, ["cursor"], (item) => item.live);
  const [wanted, setWanted] = useQueryState("view");
  const views = viewsOf(store, "structure");
  // What was only looked up or computed has no network to show: the picture of the search stays.
  const finished = run.state === "completed" && store.live && store.finalists.some((item) => item.finish !== "none");
  const normal = finished ? (views.find((view) => view.key === "result") ?? views[0]) : views[0];
  const view = views.find((item) => item.key === wanted) ?? normal;
  const waiting = waitingText(run);
  return (
    <section className="panel run-structure" aria-label="Structure">
      <header className="panel-head">
        <h2>Structure</h2>
        <span className="note">{view && said(view.picture.note, store)}</span>
        <div className="panel-actions">
          {views.length > 1 && view && <Segmented label="Picture" options={views.map((item) => ({ value: item.key, label: item.title }))} value={view.key} onChange={setWanted} />}
          {view && <SaveMenu store={store} picture={view.picture} part={view.part} title={view.title} />}
        </div>
      </header>
      {view ? (
        view.picture.view({ ...props, part: view.part })
      ) : (
        <div className="run-waiting">
          <Empty title={waiting.title}>{waiting.text}</Empty>
        </div>
      )}
    </section>
  );
}
