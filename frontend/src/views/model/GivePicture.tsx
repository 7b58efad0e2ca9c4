/** A picture for a model: dropped, chosen, or the sample. */
import { useEffect, useRef, useState } from "react";
import type { ModelInput } from "../../api/types";
import { Button } from "../../ui/Button";
import { DropZone } from "../../ui/DropZone";
import { bytes, exact } from "../../ui/format";
import type { Given } from "./give";

const ACCEPT = ".png,.jpg,.jpeg,.webp,.gif,.bmp,.tif,.tiff,image/*,.npy,.npz";

export function GivePicture({ input, busy, onAsk }: { input: ModelInput; busy: boolean; onAsk: (given: Given) => void }) {
  const chooser = useRef<HTMLInputElement>(null);
  const [invert, setInvert] = useState(false);
  const [problem, setProblem] = useState("");
  const [shown, setShown] = useState<{ file: File | null; url: string } | null>(null);
  useEffect(
    () => () => {
      if (shown?.file) URL.revokeObjectURL(shown.url);
    },
    [shown],
  );
  const sample = input.form?.sample;
  const [channels, height, width] = input.form?.shape ?? [];

  const give = (file: File | undefined, inverted = invert) => {
    if (!file) return;
    if (file.size > input.most_bytes) return setProblem(`${file.name} has ${bytes(file.size)}; at most ${bytes(input.most_bytes)} are taken here: make it smaller.`);
    setProblem("");
    if (file !== shown?.file) setShown({ file, url: URL.createObjectURL(file) });
    onAsk({ file, name: file.name, invert: inverted });
  };
  return (
    <div className="stack">
      <DropZone onFiles={(files) => give(files[0])}>
        {shown && <img className="given-picture" src={shown.url} alt={shown.file ? `given: ${shown.file.name}` : "the sample"} />}
        <div className="row try-actions">
          <Button kind="primary" busy={busy} onClick={() => chooser.current?.click()}>
            Choose a picture
          </Button>
          {sample && (
            <Button
              busy={busy}
              onClick={() => {
                setProblem("");
                setShown(sample.picture ? { file: null, url: `data:image/png;base64,${sample.picture}` } : null);
                onAsk({ file: null, name: "", invert: false });
              }}
            >
              Use a sample
            </Button>
          )}
        </div>
        <p className="muted small">
          Or drop one here: PNG, JPEG, WebP, ... of any size up to {bytes(input.most_bytes)}, grey or in colour. The model sees {exact(width)} × {exact(height)} points,{" "}
          {channels === 1 ? "grey" : "in colour"}.
        </p>
        <input ref={chooser} type="file" accept={ACCEPT} hidden aria-label="Picture" onChange={(event) => (give(event.target.files?.[0]), (event.target.value = ""))} />
      </DropZone>
      <label className="try-check">
        <input
          type="checkbox"
          checked={invert}
          disabled={busy}
          onChange={(event) => {
            setInvert(event.target.checked);
            if (shown?.file) give(shown.file, event.target.checked);
          }}
        />
        Dark and light exchanged (for ink on paper, where the model was trained on light on dark)
      </label>
      {problem && (
        <p className="error-text" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
