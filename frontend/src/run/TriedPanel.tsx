/** What the search has tried: its population; for a search inside one super-network what every edge leaned to. */
import { useQueryState } from "../app/router";
import type { PictureProps } from "../pictures/picture";
import { SaveMenu } from "../pictures/SaveMenu";
import { said, viewsOf } from "../pictures/views";
import { useSelect } from "../stream/useRun";
import { Segmented } from "../ui/Segmented";

export function TriedPanel(props: Omit<PictureProps, "part">) {
  const { run, store } = props;
  // Which picture it is changes with the first candidate, generation or frame; the pictures follow their own topics.
  useSelect(store, ["run", "candidates", "structure", "growth"], (item) =>
    viewsOf(item, "tried").map((view) => [view.key, said(view.picture.heading ?? "", item), said(view.picture.note, item)].join(" ")).join("|"),
  );
  const hasCharts = useSelect(store, ["structure"], (item) => item.pictures.has("charts"));
  const [wanted, setWanted] = useQueryState("tried");
  const views = viewsOf(store, "tried");
  const view = views.find((item) => item.key === wanted) ?? views[0];
  const heading = said(view?.picture.heading ?? "Population", store);
  return (
    <section className="panel run-tried" aria-label={heading}>
      <header className="panel-head">
        <h2>{heading}</h2>
        <span className="note">{view && said(view.picture.note, store)}</span>
        <div className="panel-actions">
          {views.length > 1 && view && <Segmented label="View" options={views.map((item) => ({ value: item.key, label: item.title }))} value={view.key} onChange={setWanted} />}
          {view && <SaveMenu store={store} picture={view.picture} part={view.part} title={view.part ? `${heading} ${view.title}` : heading} />}
        </div>
      </header>
      {view ? (
        view.picture.view({ ...props, part: view.part })
      ) : (
        <p className="run-hint run-hint-center">
          {hasCharts ? "This search tries no candidates one by one; its charts show how it goes." : run.state === "running" || run.state === "queued" ? "What is tried appears here." : "Nothing was tried."}
        </p>
      )}
    </section>
  );
}
