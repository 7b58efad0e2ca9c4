/** A person's own data set: on its way, its preview with what can be chosen, and, once kept, what it is and what uses it. */
import { useState } from "react";
import { cancelImport, deleteOwnDataset, examineDataset, getOwnDataset, keepDataset } from "../../api/resources";
import { ApiError } from "../../api/problem";
import type { DataFindings, OwnDataset } from "../../api/types";
import { useResource } from "../../api/useResource";
import { navigate } from "../../app/router";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { Button, ButtonLink } from "../../ui/Button";
import { Confirm } from "../../ui/Dialog";
import { Panel } from "../../ui/Panel";
import { Chip } from "../../ui/StateChip";
import { Failure, Skeleton } from "../../ui/States";
import { bytes, exact } from "../../ui/format";
import { toast, toastError } from "../../ui/toast";
import { Balance } from "./Balance";
import { ChoicesForm } from "./ChoicesForm";
import { Meter } from "./Meter";
import { Samples } from "./Samples";
import { UploadBox } from "./UploadBox";
import { Uses } from "./Uses";
import { atWork, kindText, shapeWords, STATE_TONES, STATE_WORDS } from "./dataText";

const BUSY_MS = 700;

function Notices({ findings }: { findings: DataFindings }) {
  if (findings.notices.length === 0) return <p className="muted">Nothing unusual was found: no repeated examples across the parts, no constant columns, no column that gives the target away.</p>;
  return (
    <ul className="doubts" aria-label="What was found">
      {findings.notices.map((notice) => (
        <li key={`${notice.code} ${notice.message}`}>{notice.message}</li>
      ))}
    </ul>
  );
}

export function Preview({ findings }: { findings: DataFindings }) {
  const { split } = findings;
  return (
    <>
      <Panel title="What was found">
        <div className="stack">
          <Notices findings={findings} />
          <dl className="facts">
            <dt>Examples</dt>
            <dd>{exact(findings.rows)}</dd>
            <dt>One example</dt>
            <dd>{shapeWords(findings.kind, findings.shape)}</dd>
            <dt>Predicts</dt>
            <dd>
              {findings.target} ({findings.task === "classification" ? `${exact(findings.class_names.length)} classes` : "a number"})
            </dd>
            <dt>Parts</dt>
            <dd>
              {exact(split.pool + split.train + split.validation)} to train and to validate, {exact(split.test)} for the test: {split.words}
            </dd>
            <dt>File</dt>
            <dd>
              {findings.source.name}, {findings.format}, {bytes(findings.source.bytes)}, SHA-256 <code>{findings.source.sha256.slice(0, 16)}…</code>
            </dd>
          </dl>
        </div>
      </Panel>
      <Panel title="Examples">
        <Samples samples={findings.samples} columns={findings.columns.map((column) => column.name)} target={findings.target} />
      </Panel>
      {findings.balance.length > 0 && (
        <Panel title={findings.task === "classification" ? "Classes" : "Target"} flush>
          <Balance head={findings.task === "classification" ? "Class" : findings.target} parts={["All", "Test"]} rows={findings.balance.map(({ name, count, test }) => ({ name, counts: [count, test] }))} />
        </Panel>
      )}
    </>
  );
}

function AtWork({ row, onChange }: { row: OwnDataset; onChange: (row: OwnDataset) => void }) {
  return (
    <Panel title={row.state === "keeping" ? "It is being stored" : "It is being examined"}>
      <div className="stack">
        <Meter done={row.progress?.done ?? 0} label="Work done" />
        <p role="status">{row.progress?.text || "waiting for a worker"}</p>
        <div className="row">
          <Button onClick={() => cancelImport(row.id).then(onChange, toastError)}>Cancel</Button>
        </div>
      </div>
    </Panel>
  );
}

function Remove({ row, onClose }: { row: OwnDataset; onClose: () => void }) {
  const [depends, setDepends] = useState("");
  const [busy, setBusy] = useState(false);
  const remove = () => {
    setBusy(true);
    deleteOwnDataset(row.id, depends !== "")
      .then(() => {
        toast(`'${row.title}' was removed.`);
        navigate(paths.data);
      })
      .catch((error: unknown) => {
        setBusy(false);
        if (error instanceof ApiError && error.code === "in_use") setDepends(error.message);
        else {
          toastError(error);
          onClose();
        }
      });
  };
  return (
    <Confirm title={`Remove '${row.title}'?`} verb={depends ? "Remove it all the same" : "Remove"} busy={busy} onConfirm={remove} onClose={onClose}>
      {depends ? <p role="alert">{depends.replace(/; say in_use=remove.*/, ".")}</p> : <p>The data are removed from this server. The file on your machine stays.</p>}
    </Confirm>
  );
}

export function OwnDatasetPage({ id }: { id: string }) {
  const [fast, setFast] = useState(true);
  const loaded = useResource(`own ${id}`, (signal) => getOwnDataset(id, signal), fast ? BUSY_MS : 0);
  const [removing, setRemoving] = useState(false);
  const [dirty, setDirty] = useState(false);
  const row = loaded.data;
  useTitle(row?.title ?? "Data");
  const busy = row !== undefined && (atWork(row.state) || row.state === "uploading");
  if (row !== undefined && busy !== fast) setFast(busy);
  if (loaded.loading) return <Skeleton lines={8} label="Loading the data set" />;
  if (!row) return <Failure what="The data set did not load" error={loaded.error} retry={loaded.reload} />;
  const after = (changed: OwnDataset) => {
    setDirty(false);
    loaded.set(changed);
    setFast(true);
  };
  const editable = row.state === "examined" || row.state === "failed";
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{row.title}</h1>
          <p>
            <Chip tone={STATE_TONES[row.state]} live={busy}>
              {STATE_WORDS[row.state]}
            </Chip>{" "}
            {row.version > 1 && `version ${row.version}, `}
            {row.file_name}, {kindText(row)}
            {row.dataset && (
              <>
                , <code>{row.dataset}</code>
              </>
            )}
          </p>
        </div>
        <div className="actions">
          {row.state === "examined" && (
            <Button kind="primary" disabled={dirty} title={dirty ? "Examine it again first: what is kept is what was examined." : undefined} onClick={() => keepDataset(id).then(after, toastError)}>
              Keep it
            </Button>
          )}
          {row.state === "ready" && (
            <ButtonLink kind="primary" to={paths.newExperiment({ dataset: row.dataset })}>
              Search on it
            </ButtonLink>
          )}
          <Button kind="danger" onClick={() => setRemoving(true)}>
            Remove
          </Button>
        </div>
      </div>
      {row.reason && (
        <p className="error-text" role="alert">
          {row.reason}
        </p>
      )}
      {row.state === "uploading" && (
        <Panel title="The upload is not whole yet">
          <div className="stack">
            <Meter done={row.received / row.size} label="Bytes at the server" />
            <p>
              {bytes(row.received)} of {bytes(row.size)} are here. Choose the same file again to go on from there.
            </p>
            <UploadBox onDone={loaded.reload} title={`Drop ${row.file_name} here`} />
          </div>
        </Panel>
      )}
      {atWork(row.state) && <AtWork row={row} onChange={after} />}
      {editable && (
        <Panel title="Choices" note="what the file proposes, and what you change">
          <ChoicesForm key={row.touched} title={row.title} findings={row.findings} choices={row.choices ?? {}} busy={false} onDirty={setDirty} onExamine={(choices) => examineDataset(id, choices).then(after, toastError)} />
        </Panel>
      )}
      {row.findings && row.state !== "uploading" && <Preview findings={row.findings} />}
      {row.state === "ready" && (
        <>
          <Panel title="What uses it" flush>
            <Uses dataset={row.dataset} />
          </Panel>
          <Panel title="A new version">
            <div className="stack">
              <p>What is kept never changes. A new file becomes a version of its own, with these choices to begin with; runs go on naming the one that they used.</p>
              <UploadBox previous={row.id} title="Drop the new file here" onDone={(made) => navigate(paths.dataset(made))} />
            </div>
          </Panel>
        </>
      )}
      {removing && <Remove row={row} onClose={() => setRemoving(false)} />}
    </div>
  );
}
