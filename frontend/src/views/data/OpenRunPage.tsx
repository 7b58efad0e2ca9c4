/** Where a run of the command line, or one that was exported elsewhere, is opened: dropped, on its way, refused, there. */
import "./data.css";
import { cancelRunImport, deleteRunImport, getRunImports } from "../../api/resources";
import type { RunImport } from "../../api/types";
import { usePages } from "../../api/usePages";
import { Link } from "../../app/router";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { Button, ButtonLink } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { Chip, type Tone } from "../../ui/StateChip";
import { Empty, Failure, Skeleton } from "../../ui/States";
import { ago, bytes, plural } from "../../ui/format";
import { useAction } from "../../ui/useAction";
import { Meter } from "./Meter";
import { UploadBox } from "./UploadBox";

const EVERY_MS = 1500;
const load = (cursor: string | null, signal?: AbortSignal) => getRunImports(cursor, signal);
const WORDS: Record<RunImport["state"], string> = { uploading: "upload unfinished", uploaded: "waits for a worker", examining: "being opened", ready: "opened", failed: "not opened" };
const TONES: Record<RunImport["state"], Tone> = { uploading: "warn", uploaded: "neutral", examining: "accent", ready: "good", failed: "bad" };

function ImportRow({ row, reload }: { row: RunImport; reload: () => void }) {
  const { busy, act } = useAction();
  // Done or not: what is known now is shown.
  const change = (action: () => Promise<unknown>) => void act(action).then(reload);
  const working = row.state === "uploaded" || row.state === "examining";
  return (
    <li className="upload-row" aria-label={row.file_name}>
      <div className="upload-line">
        <strong className="upload-name">{row.file_name}</strong>
        <Chip tone={TONES[row.state]} live={working}>
          {WORDS[row.state]}
        </Chip>
        <span className="muted small">
          {bytes(row.size)}
          {row.runs > 0 && `, ${plural(row.runs, "run")}`}, {ago(row.created)}
        </span>
        <span className="upload-actions">
          {row.experiment && (
            <ButtonLink small kind="primary" to={paths.experiment(row.experiment)}>
              Look at it
            </ButtonLink>
          )}
          {working ? (
            <Button small kind="danger" busy={busy !== ""} onClick={() => change(() => cancelRunImport(row.id))}>
              Cancel
            </Button>
          ) : (
            <Button small busy={busy !== ""} onClick={() => change(() => deleteRunImport(row.id))}>
              {row.experiment ? "Take off this list" : "Remove"}
            </Button>
          )}
        </span>
      </div>
      {working && <Meter done={row.progress?.done ?? 0} label={`${row.file_name}, opened so far`} />}
      {working && row.progress?.text && (
        <span className="muted small" role="status">
          {row.progress.text}
        </span>
      )}
      {row.reason && (
        <p className="error-text" role="alert">
          {row.reason}
        </p>
      )}
    </li>
  );
}

export function OpenRunPage() {
  useTitle("Open a run");
  const pages = usePages("run imports", load, EVERY_MS);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <Link className="crumb" to={paths.experiments}>
            Experiments
          </Link>
          <h1>Open a run</h1>
          <p>
            What was searched elsewhere becomes an experiment here, with its events, pictures, scores and downloads; it can be replayed as if it had
            been searched here.
          </p>
        </div>
      </div>
      <Panel title="Bring a run">
        <div className="stack">
          <UploadBox purpose="run" title="Drop a run here" onDone={pages.reload} />
          <p className="muted small">
            On the machine that the run lies on, <code>python manage.py open DIR</code> does the same without an upload.
          </p>
        </div>
      </Panel>
      <Panel title="Brought of late">
        {pages.loading ? (
          <Skeleton lines={3} label="Loading what was brought" />
        ) : pages.items.length === 0 && pages.error !== undefined ? (
          <Failure what="What was brought did not load" error={pages.error} retry={pages.reload} />
        ) : pages.items.length === 0 ? (
          <Empty title="Nothing yet">
            A run is checked before anything of it is kept: where a file does not fit, it is named here with what would be right. Nobody else sees it.
          </Empty>
        ) : (
          <>
            <ul className="upload-list" aria-label="Runs that were brought">
              {pages.items.map((row) => (
                <ImportRow key={row.id} row={row} reload={pages.reload} />
              ))}
            </ul>
            {pages.more && (
              <div className="table-more">
                <Button busy={pages.loadingMore} onClick={pages.loadMore}>
                  Older ones
                </Button>
              </div>
            )}
          </>
        )}
      </Panel>
    </div>
  );
}
