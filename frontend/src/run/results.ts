/** The models of a run as results: each finalist with the baselines that were finished on the same data sets. */
import type { Model, Run } from "../api/types";
import type { FinalistChosen } from "../types/events.gen";

export interface Rival {
  model: Model;
  title: string;
  /** Two or three words for a label. */
  short: string;
  /** A random architecture of the space that was trained like the one that was found. */
  random: boolean;
}

export interface Result {
  model: Model;
  title: string;
  /** Places of the data sets that it was tested on. */
  domains: number[];
  rivals: Rival[];
}

/** "random architecture, finished in the same way" -> "random architecture". */
const shortTitle = (title: string) => title.split(/[,:(]/)[0]?.trim() || title;

/** In the order in which they were chosen. A finalist that is not known yet (its event is still on the way) belongs to the first data set. */
export function resultsOf(run: Run, finalists: readonly FinalistChosen[]): Result[] {
  const chosen = new Map(finalists.map((item) => [item.index, item]));
  const domainsOf = (model: Model) => chosen.get(model.index)?.domains ?? [0];
  const models = [...run.models].sort((a, b) => a.index - b.index);
  const found = models.filter((model) => model.role === "finalist");
  return found.map((model) => {
    const domains = domainsOf(model);
    const rivals = models.filter((other) => other.role === "baseline" && domainsOf(other).join() === domains.join());
    const names = domains.map((domain) => run.datasets[domain] ?? `data set ${domain + 1}`);
    const title = chosen.get(model.index)?.title ?? "best architecture found";
    return {
      model,
      // Several results differ by their data or, on one data set, by their rank.
      title: found.some((other) => other !== model && domainsOf(other).join() !== domains.join()) ? `${names.join(" + ")}: ${title}` : title,
      domains,
      rivals: rivals.map((other) => {
        const name = chosen.get(other.index)?.title ?? "random architecture";
        return { model: other, title: name, short: shortTitle(name), random: shortTitle(name) === "random architecture" };
      }),
    };
  });
}
