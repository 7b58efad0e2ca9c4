/** What a model said: the likeliest classes as bars, or values in the target's units; how long it took, and what became of the input. */
import type { Answered, AnsweredExample, InputForm } from "../../api/types";
import { duration, exact, metric, plural } from "../../ui/format";

/** So many classes are shown before the rest is folded. */
const TOP = 5;

/** 0.7234 -> "72.3 %"; what is not all, or not nothing, does not look like it. */
export function percent(probability: number): string {
  const text = (100 * probability).toFixed(1);
  if (text === "100.0" && probability < 1) return "over 99.9 %";
  if (text === "0.0" && probability > 0) return "under 0.1 %";
  return `${text} %`;
}

function Bars({ classes, label }: { classes: AnsweredExample["classes"]; label: string }) {
  return (
    <ol className="answer-bars" aria-label={label}>
      {classes.map(({ name, probability }, place) => (
        <li key={place}>
          <span className="answer-name">{name}</span>
          <span className="answer-track" aria-hidden="true">
            <i style={{ width: `${100 * probability}%` }} />
          </span>
          <span className="num">{percent(probability)}</span>
        </li>
      ))}
    </ol>
  );
}

function Example({ example, title }: { example: AnsweredExample; title: string }) {
  const { classes, values } = example;
  const rest = classes.slice(TOP);
  return (
    <section className="answer-example" aria-label={title || "Answer"}>
      {title && <h3>{title}</h3>}
      {classes[0] && (
        <>
          <p className="answer-first">{classes[0].name}</p>
          <Bars classes={classes.slice(0, TOP)} label="The likeliest classes and their probabilities" />
          {rest.length > 0 && (
            <details>
              <summary>{plural(rest.length, "more class", "more classes")}</summary>
              <Bars classes={rest} label="The other classes and their probabilities" />
            </details>
          )}
        </>
      )}
      {values.length > 0 && (
        <dl className="answer-values">
          {values.map(({ name, value }, place) => (
            <div key={place} className="stat">
              <dt>{name}</dt>
              <dd title={String(value)}>{metric(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

/** "It was scaled and cut to 28 × 28, grey." */
function became({ width, height, format, taken }: NonNullable<Answered["picture"]>): string {
  const [channels, high, wide] = taken;
  const same = width === wide && height === high;
  const what = `${exact(wide)} × ${exact(high)} points, ${channels === 1 ? "grey" : "in colour"}`;
  return same
    ? `The picture, ${format}, has the ${what}, that the model takes.`
    : `The picture, ${exact(width)} × ${exact(height)} points (${format}), was scaled, and cut from its middle where it is longer, to ${what}: that is all the model saw.`;
}

export function Answer({ answered, form, sample }: { answered: Answered; form: InputForm; sample: boolean }) {
  const { examples, notes, picture, seconds, model_seconds: own } = answered;
  const labels = sample ? (form.sample?.labels ?? []) : [];
  return (
    <div className="stack answer">
      {examples.map((example, place) => (
        <Example key={place} example={example} title={[examples.length > 1 && `Example ${place + 1}`, labels[place] && `true: ${labels[place]}`].filter(Boolean).join(", ")} />
      ))}
      {sample && labels.length === 0 && <p className="muted">The sample is the mean of training examples, and none of them: its answer says little.</p>}
      {notes.length > 0 && (
        <ul className="doubts" aria-label="What there is to know of the input">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      {picture && <p className="muted">{became(picture)}</p>}
      <p className="muted">
        A worker needed {took(seconds)}, {took(own)} of them for reading the model and answering. What you gave is deleted.
      </p>
    </div>
  );
}

const took = (seconds: number) => (seconds < 1 ? `${exact(Math.round(1000 * seconds))} ms` : duration(seconds));
