/** What an accuracy hides: how each class fares, and what always answering the largest class would have. */
import type { ClassScores } from "../types/events.gen";
import { exact, metric } from "./format";

const PARTS = { val: "Validation", test: "Test" };

function Part({ found }: { found: ClassScores }) {
  return (
    <details className="class-table">
      <summary>
        {PARTS[found.split]} by class: balanced accuracy {metric(found.balanced_accuracy)}, macro F1 {metric(found.macro_f1)}; always answering '{found.majority}' has{" "}
        {metric(found.majority_share)}
      </summary>
      <div className="matrix-scroll" tabIndex={0} role="group" aria-label={`${PARTS[found.split]}, each class`}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" className="num">
                Examples
              </th>
              <th scope="col" className="num">
                Recall (share of them answered right)
              </th>
            </tr>
          </thead>
          <tbody>
            {found.classes.map((name, place) => (
              <tr key={place}>
                <th scope="row">{name}</th>
                <td className="num">{exact(found.examples[place])}</td>
                <td className="num">{metric(found.recall[place])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** Of every part and data set; nothing where there are no classes. */
export function ClassTables({ tables }: { tables: readonly ClassScores[] }) {
  return tables.map((found) => <Part key={`${found.split} ${found.domain}`} found={found} />);
}

/** What makes scores say less than they seem to. */
export function Doubts({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <ul className="doubts" aria-label="Read this beside the scores">
      {warnings.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
