/** One figure or table of a published work: what it shows, and its counterpart from what was measured here once and the viewer's own runs. */
import { useMemo } from "react";
import { ApiError } from "../api/problem";
import { getAtlasEntry } from "../api/resources";
import type { AtlasEntry } from "../api/types";
import { useResource } from "../api/useResource";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { plotOf } from "../plots/chartData";
import { PlotGrid } from "../plots/PlotCard";
import { ButtonLink } from "../ui/Button";
import { Panel } from "../ui/Panel";
import { Empty, Failure, Skeleton } from "../ui/States";
import { AtlasTable } from "./AtlasTable";
import { lackingText, nameOf, sourceText, tableTitle } from "./atlasText";
import { EntryLinks } from "./EntryLinks";
import { LivePicture } from "./LivePicture";
import "./atlas.css";

const capital = (text: string): string => text.replace(/^./, (letter) => letter.toUpperCase());

/** The pictures of one's own runs; where there is none yet, what is missing. */
function Pictures({ entry }: { entry: AtlasEntry }) {
  return entry.pictures.map(({ title, picture, run, lacking }) => (
    <Panel key={`${title} ${picture}`} title={capital(title)}>
      {run ? (
        <LivePicture runId={run.id} picture={picture} title={title} />
      ) : lacking.length > 0 ? (
        <p className="muted">{capital(lackingText(lacking))}.</p>
      ) : (
        <p className="muted">Not run yet: none of your finished runs has this picture. Start a search above.</p>
      )}
    </Panel>
  ));
}

export function AtlasEntryPage({ id }: { id: string }) {
  const resource = useResource(`atlas/${id}`, (signal) => getAtlasEntry(id, signal));
  const entry = resource.data;
  useTitle(entry ? `${nameOf(entry)}: ${entry.title}` : "Atlas");
  const plots = useMemo(() => entry?.charts.map(plotOf) ?? [], [entry]);
  if (resource.error instanceof ApiError && resource.error.status === 404) {
    return (
      <Empty heading="h1" title="The atlas has no such page" actions={<ButtonLink to={paths.atlas}>All of the atlas</ButtonLink>}>
        A figure or table of this name is not in this installation.
      </Empty>
    );
  }
  if (!entry) return resource.error === undefined ? <Skeleton label="Loading the page" lines={5} /> : <Failure what="The page did not load" error={resource.error} retry={resource.reload} />;
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <Link className="crumb" to={paths.atlas}>
            Atlas
          </Link>
          <h1>
            {nameOf(entry)}: {entry.title}
          </h1>
          <p>
            {sourceText(entry.published)}, section {entry.section}
          </p>
        </div>
      </div>
      <Panel title="What it shows, and what there is here">
        <p>{entry.shows}</p>
        <p className="atlas-here">{entry.here}</p>
        <EntryLinks entry={entry} />
        {entry.notes.length > 0 && (
          <ul className="atlas-notes">
            {entry.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
      </Panel>
      {entry.table && (
        <Panel title={capital(tableTitle(entry.table))} note={`published: ${entry.published.authors} ${entry.published.year}`}>
          <AtlasTable entry={entry} table={entry.table} />
        </Panel>
      )}
      {plots.length > 0 && (
        <Panel title="In charts" note="click one to see it large, with its figures">
          <PlotGrid plots={plots} />
        </Panel>
      )}
      <Pictures entry={entry} />
    </div>
  );
}
