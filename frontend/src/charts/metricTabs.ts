/** Which measured numbers belong to one tab: by what their names say, for every algorithm alike. */

export interface TabRule {
  id: string;
  title: string;
  /** Exact names in the order in which they matter, or what a name must look like. */
  names?: readonly string[];
  pattern?: RegExp;
  /** Numbers of different kinds and sizes: one at a time. */
  alone?: boolean;
  /** What stands at the y axis: measure, unit and which way is better. Without it the names of what is drawn. */
  axis?: string;
}

/** Figures of what the search ranks by: which that is, the run says. */
export const RANKING = "fitness";

/** The first rule that fits a name takes it. */
export const TAB_RULES: readonly TabRule[] = [
  { id: "accuracy", title: "Accuracy", names: ["val_accuracy", "train_accuracy"], pattern: /(^|_)accuracy$/, axis: "accuracy (share of examples), higher is better" },
  { id: "r2", title: "R²", names: ["val_r2", "train_r2"], pattern: /(^|_)r2$/, axis: "R² (share of variance), higher is better" },
  { id: "loss", title: "Loss", names: ["val_loss", "train_loss"], axis: "loss (nats, or squared error), lower is better" },
  { id: "entropy", title: "Entropy", names: ["entropy_share", "entropy", "structure_max"], axis: "share of the largest possible" },
  { id: RANKING, title: "Ranking", names: ["best", "mean", "population_mean", "population_max", "population_min"] },
  { id: "reward", title: "Reward", names: ["reward", "baseline", "queue_mean"], pattern: /^reward_/ },
  { id: "shares", title: "Shares", names: ["coverage", "unique", "agreement", "failed_share", "rejected_share"], axis: "share" },
  { id: "size", title: "Size", names: ["median_edges", "median_nodes"], axis: "number, median of the population" },
  { id: "temperature", title: "Temperature", pattern: /(^|_)temp(erature)?(_|$)/ },
  { id: "factors", title: "Factors", pattern: /^lambda(_|$)|^kl_weight$|^beta$/ },
  { id: "cost", title: "Cost", pattern: /(^|_)(flops|macs|parameters|latency|budget)(_|$)|^(expected|sampled|hard|normalised)_cost|^cost(_|$)/ },
  { id: "nats", title: "Nats", pattern: /(^|_)(kl|elbo|nats|evidence|free_energy)(_|$)|likelihood|_cost$|log_evidence/, axis: "nats" },
  { id: "kept", title: "Kept", pattern: /share_kept|(^|_)(kept|remaining|sparsity|density)(_|$)/ },
];

export const MORE: TabRule = { id: "more", title: "More", alone: true };

/** What a policy calls its entropy is in nats, with its share of the uniform policy's beside it; elsewhere `entropy` is such a share. */
const NATS_BESIDE = "entropy_share";

const belongs = (rule: TabRule, name: string): boolean => (rule.names?.includes(name) ?? false) || (rule.pattern?.test(name) ?? false);

/** The names of each tab that has any: named ones in their order, the others by the alphabet. */
export function sorted(names: Iterable<string>): { rule: TabRule; names: string[] }[] {
  const left = new Set(names);
  const kindOf = (name: string) => (name === "entropy" && left.has(NATS_BESIDE) ? "entropy_nats" : name);
  const kinds = new Map([...left].map((name) => [name, kindOf(name)]));
  const tabs = TAB_RULES.map((rule) => {
    const own = [...left].filter((name) => belongs(rule, kinds.get(name) ?? name));
    for (const name of own) left.delete(name);
    const place = (name: string) => (rule.names?.includes(name) ? (rule.names?.indexOf(name) ?? 0) : Infinity);
    return { rule, names: own.sort((a, b) => (place(a) === place(b) ? a.localeCompare(b) : place(a) - place(b))) };
  });
  tabs.push({ rule: MORE, names: [...left].sort((a, b) => a.localeCompare(b)) });
  return tabs.filter((tab) => tab.names.length > 0);
}
