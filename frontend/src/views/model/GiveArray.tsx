/** A series, or an array of numbers, for a model: a file, or pasted numbers. */
import { useId, useRef, useState } from "react";
import type { ModelInput } from "../../api/types";
import { Button } from "../../ui/Button";
import { bytes, exact } from "../../ui/format";
import { asFile, type Given } from "./give";

export function GiveArray({ input, busy, onAsk }: { input: ModelInput; busy: boolean; onAsk: (given: Given) => void }) {
  const id = useId();
  const chooser = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const series = input.form?.kind === "series";
  const shape = input.form?.shape ?? [];
  const many = shape.reduce((product, side) => product * side, 1);
  const give = (file: File | undefined) => {
    if (!file) return;
    if (file.size > input.most_bytes) return setProblem(`${file.name} has ${bytes(file.size)}; at most ${bytes(input.most_bytes)} are taken here.`);
    setProblem("");
    onAsk({ file, name: file.name });
  };
  const one = series ? `${exact(shape[0])} ${shape[0] === 1 ? "channel" : "channels"} at ${exact(shape[1])} moments` : `${shape.map(exact).join(" × ")} numbers`;
  return (
    <div className="stack">
      {series && (
        <div className="try-field">
          <label htmlFor={id}>
            A series as one line of {exact(many)} numbers: {one}, channel after channel
          </label>
          <textarea id={id} className="textarea" rows={3} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
        </div>
      )}
      <div className="row">
        {series && (
          <Button
            kind="primary"
            busy={busy}
            onClick={() => (text.trim() ? (setProblem(""), onAsk(asFile(text))) : setProblem("There is nothing to answer: paste a series, choose a file, or use the sample."))}
          >
            Ask the model
          </Button>
        )}
        <Button kind={series ? "plain" : "primary"} busy={busy} onClick={() => chooser.current?.click()}>
          Choose a file
        </Button>
        {input.form?.sample && (
          <Button busy={busy} onClick={() => onAsk({ file: null, name: "" })}>
            Use a sample
          </Button>
        )}
      </div>
      <p className="muted small">
        {series ? ".npy or .npz" : "An .npy or .npz file"} with the raw numbers of one example, {one}, or of up to {exact(input.most_examples)}; at most {bytes(input.most_bytes)}.
      </p>
      <input ref={chooser} type="file" accept={series ? ".npy,.npz,.csv,.tsv,.txt" : ".npy,.npz"} hidden aria-label="File" onChange={(event) => (give(event.target.files?.[0]), (event.target.value = ""))} />
      {problem && (
        <p className="error-text" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
