/** The atlas: published figures and tables one by one, each with what it shows and what there is of it here. */
import { getAtlas } from "../api/resources";
import type { AtlasEntryInfo } from "../api/types";
import { useResource } from "../api/useResource";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { Panel } from "../ui/Panel";
import { Failure, Skeleton } from "../ui/States";
import { nameOf, sourceText } from "./atlasText";
import { EntryLinks } from "./EntryLinks";
import "./atlas.css";

function EntryCard({ entry }: { entry: AtlasEntryInfo }) {
  return (
    <article className="atlas-card" aria-labelledby={`${entry.id}-title`}>
      <h3 id={`${entry.id}-title`}>
        <Link to={paths.atlasEntry(entry.id)}>
          {nameOf(entry)}: {entry.title}
        </Link>
        <span className="note">section {entry.section}</span>
      </h3>
      <p>{entry.shows}</p>
      <p className="atlas-here">{entry.here}</p>
      <EntryLinks entry={entry} />
    </article>
  );
}

export function AtlasPage() {
  useTitle("Atlas");
  const atlas = useResource("atlas", getAtlas);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Atlas</h1>
          <p>Figures and tables of published work, each with its counterpart here: a picture of one of your runs, a search to start, published values beside what was measured here once and beside your own.</p>
        </div>
      </div>
      {atlas.loading && <Skeleton label="Loading the atlas" lines={6} />}
      {atlas.error !== undefined && !atlas.data && <Failure what="The atlas did not load" error={atlas.error} retry={atlas.reload} />}
      {atlas.data?.sources.map((source) => (
        <Panel key={source.id} title={source.title} note={sourceText(source)}>
          <p className="muted small">Language: {source.language}. Facts and figures are the source's; the words are ours.</p>
          <div className="atlas-list">
            {atlas.data?.entries.filter((entry) => entry.source === source.id).map((entry) => <EntryCard key={entry.id} entry={entry} />)}
          </div>
        </Panel>
      ))}
    </div>
  );
}
