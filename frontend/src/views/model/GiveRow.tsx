/** A row for a model: typed into one field for each column, or pasted as text. */
import { useId, useState, type FormEvent } from "react";
import type { ModelInput } from "../../api/types";
import { Button } from "../../ui/Button";
import { Segmented } from "../../ui/Segmented";
import { bytes, exact } from "../../ui/format";
import { asFile, type Given } from "./give";
import { cellsOf, firstExample, rowText } from "./rowText";

/** More columns than these are pasted: nobody fills in as many fields. */
const MOST_FIELDS = 40;

export function GiveRow({ input, busy, onAsk }: { input: ModelInput; busy: boolean; onAsk: (given: Given) => void }) {
  const id = useId();
  const columns = input.form?.columns ?? [];
  const sample = input.form?.sample?.text ?? "";
  const fields = columns.length > 0 && columns.length <= MOST_FIELDS;
  const [how, setHow] = useState<"fields" | "text">(fields ? "fields" : "text");
  const [values, setValues] = useState<string[]>(() => ofSample(sample, columns.map((column) => column.name)));
  const [text, setText] = useState(() => firstExample(sample));
  const [problem, setProblem] = useState("");

  const send = (event: FormEvent) => {
    event.preventDefault();
    const given = how === "fields" ? rowText(columns.map((column) => column.name), values) : text;
    if (!given.trim()) return setProblem("There is nothing to answer: paste a row, or use the sample.");
    if (given.length > input.most_bytes) return setProblem(`That is ${bytes(given.length)} of text; at most ${bytes(input.most_bytes)} are taken here.`);
    setProblem("");
    onAsk(asFile(given));
  };
  const put = (place: number, value: string) => setValues((before) => columns.map((_, other) => (other === place ? value : (before[other] ?? ""))));
  return (
    <form className="stack" onSubmit={send}>
      {fields && (
        <Segmented
          label="How to give a row"
          options={[
            { value: "fields", label: "Fields" },
            { value: "text", label: "Paste a line" },
          ]}
          value={how}
          onChange={setHow}
        />
      )}
      {how === "fields" ? (
        <div className="try-fields">
          {columns.map(({ name, kind, categories, may_miss: mayMiss }, place) => (
            <div key={place} className="try-field">
              <label htmlFor={`${id}-${place}`}>
                {name}
                {mayMiss && <span className="faint"> (may stay empty)</span>}
              </label>
              {kind === "category" && categories.length > 0 ? (
                <select id={`${id}-${place}`} className="select" value={values[place] ?? ""} onChange={(event) => put(place, event.target.value)}>
                  <option value="">not known</option>
                  {categories.map((category) => (
                    <option key={category} value={category}>
                      {category}
                    </option>
                  ))}
                </select>
              ) : (
                <input
                  id={`${id}-${place}`}
                  className="input"
                  inputMode={kind === "number" ? "decimal" : "text"}
                  autoComplete="off"
                  value={values[place] ?? ""}
                  onChange={(event) => put(place, event.target.value)}
                />
              )}
            </div>
          ))}
        </div>
      ) : (
        <div className="try-field">
          <label htmlFor={`${id}-text`}>One row as CSV, or up to {exact(input.most_examples)}; with a first line of names the columns may stand in any order</label>
          <textarea id={`${id}-text`} className="textarea" rows={4} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
        </div>
      )}
      <div className="row">
        <Button kind="primary" type="submit" busy={busy}>
          Ask the model
        </Button>
        {input.form?.sample && (
          <Button busy={busy} onClick={() => onAsk({ file: null, name: "" })}>
            Use a sample
          </Button>
        )}
      </div>
      {problem && (
        <p className="error-text" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** The sample's first example, in the order of the columns. */
function ofSample(sample: string, names: string[]): string[] {
  const [head = [], first = []] = cellsOf(sample);
  return names.map((name) => first[head.indexOf(name)] ?? "");
}
