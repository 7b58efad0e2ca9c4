/** What one can do about an entry: look at a run of one's own, start a ready-made search, open the form, a panel or a page. */
import type { AtlasEntryInfo, AtlasSearch } from "../api/types";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { ButtonLink } from "../ui/Button";
import { lackingText } from "./atlasText";

/** Opens the form with a ready-made search. */
export function SearchLinks({ searches }: { searches: readonly AtlasSearch[] }) {
  return searches
    .filter((search) => search.installed)
    .map((search) => (
      <ButtonLink key={search.id} small to={paths.newExperiment({ preset: search.id })}>
        {search.title}
      </ButtonLink>
    ));
}

export function EntryLinks({ entry }: { entry: AtlasEntryInfo }) {
  const runs = entry.pictures.filter((picture) => picture.run !== null);
  const forms = entry.forms.filter((form) => form.installed);
  return (
    <>
      {runs.length > 0 && (
        <p className="atlas-runs">
          Your runs:{" "}
          {runs.map(({ title, run, picture }, index) => (
            <span key={index}>
              {index > 0 && "; "}
              <Link to={paths.runPicture(run?.id ?? "", picture)}>{title}</Link> <span className="muted">({run?.dataset}, seed {run?.seed})</span>
            </span>
          ))}
        </p>
      )}
      <div className="row atlas-actions">
        <SearchLinks searches={entry.searches} />
        {forms.map((form) => (
          <ButtonLink key={form.title} small to={paths.newExperiment({ algorithm: form.algorithm, ...(form.dataset ? { dataset: form.dataset } : {}) })}>
            {form.title}
          </ButtonLink>
        ))}
        {entry.explore && (
          <ButtonLink small kind="quiet" to={paths.explorePanel(entry.explore)}>
            Try it under Distributions
          </ButtonLink>
        )}
        {entry.page && (
          <ButtonLink small kind="quiet" to={entry.page}>
            Open the page
          </ButtonLink>
        )}
      </div>
      {entry.lacking.length > 0 && <p className="muted small atlas-lacking">{lackingText(entry.lacking)}</p>}
    </>
  );
}
