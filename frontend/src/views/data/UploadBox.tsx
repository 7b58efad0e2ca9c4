/** Where files are dropped, and the uploads of this tab on their way. */
import { useRef } from "react";
import { Button } from "../../ui/Button";
import { DropZone } from "../../ui/DropZone";
import { bytes } from "../../ui/format";
import { Meter } from "./Meter";
import { secondsLeft } from "./dataText";
import { cancelUpload, pauseUpload, resumeUpload, startUpload, useUploads, type Purpose, type UploadInfo } from "./uploads";

const STATES: Record<UploadInfo["state"], string> = { running: "uploading", paused: "paused", failed: "stopped", cancelling: "ending" };

function UploadRow({ info }: { info: UploadInfo }) {
  const { key, name, size, sent, state, error } = info;
  const left = secondsLeft(info);
  return (
    <li className="upload-row" aria-label={name}>
      <div className="upload-line">
        <strong className="upload-name">{name}</strong>
        <span className="muted small" role="status">
          {STATES[state]}: {bytes(sent)} of {bytes(size)}
          {left && `, ${left}`}
        </span>
        <span className="upload-actions">
          {state === "running" && (
            <Button small onClick={() => pauseUpload(key)}>
              Pause
            </Button>
          )}
          {(state === "paused" || state === "failed") && (
            <Button small onClick={() => resumeUpload(key)}>
              Go on
            </Button>
          )}
          <Button small kind="danger" busy={state === "cancelling"} onClick={() => void cancelUpload(key)}>
            Cancel
          </Button>
        </span>
      </div>
      <Meter done={size ? sent / size : 0} label={`${name}, bytes sent`} />
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}

const FORMS: Record<Purpose, string> = {
  data: "Tables: CSV, TSV, Parquet. Pictures: a zip of class folders, or of pictures with a CSV. Arrays: .npz, .npy, idx. Series: .npz, .ts.",
  run: "A file that was exported (.nascope.zip), or the zipped folder of a run of the command line.",
};

/** `onDone` is told the data set, or the run, that a whole upload has become. */
export function UploadBox({ onDone, previous, title, purpose = "data" }: { onDone: (id: string) => void; previous?: string; title?: string; purpose?: Purpose }) {
  const uploads = useUploads(purpose);
  const input = useRef<HTMLInputElement>(null);
  const begin = (files: FileList | null) => {
    for (const file of Array.from(files ?? [])) void startUpload(file, onDone, { ...(previous ? { previous } : {}), ...(purpose === "run" ? { purpose } : {}) });
  };
  return (
    <div className="stack">
      <DropZone onFiles={begin}>
        <p>
          <strong>{title ?? "Drop a file here"}</strong>, or{" "}
          <Button kind="primary" onClick={() => input.current?.click()}>
            Choose a file
          </Button>
        </p>
        <p className="muted small">{FORMS[purpose]}</p>
        <input
          ref={input}
          type="file"
          className="visually-hidden"
          tabIndex={-1}
          aria-label="File to upload"
          multiple={!previous}
          onChange={(event) => {
            begin(event.target.files);
            event.target.value = "";
          }}
        />
      </DropZone>
      {uploads.length > 0 && (
        <ul className="upload-list" aria-label="Uploads">
          {uploads.map((info) => (
            <UploadRow key={info.key} info={info} />
          ))}
        </ul>
      )}
    </div>
  );
}
