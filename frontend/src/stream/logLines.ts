/** What the log says of an event. */
import type { Assessment, DerivedGenome, EventRecord, FinalistChosen } from "../types/events.gen";
import { metric, metricName, plural } from "../ui/format";
import { scoreKey } from "../ui/score";
import { growthLine } from "./growth";
import type { LogLine } from "./log";

/** The lines of one event; most events have none. `finalists`: those chosen before it, whose titles name the models. */
export function linesOf(event: EventRecord, finalists: readonly FinalistChosen[]): LogLine[] {
  const { data } = event;
  const line = (text: string, tone: LogLine["tone"] = ""): LogLine => ({ seq: event.seq, time: event.time, kind: event.kind, text, tone });
  switch (data.kind) {
    case "control":
      return [line(`${data.title}: ${data.message}`)];
    case "report":
      return [line(data.message ? `${data.title}: ${data.message}` : data.title)];
    case "growth_step":
      return [line(growthLine(data), data.accepted ? "best" : "")];
    case "trial_told":
      return [
        ...(data.status === "failed" ? [line(`trial ${data.number} failed: ${data.reason}`, "warn")] : []),
        ...(data.warnings ?? []).map((sentence) => line(`trial ${data.number}: ${sentence}`, "warn")),
      ];
    case "incumbent":
      return [line(`new best ${metricName(data.metric)} ${data.value.toFixed(4)}${data.candidate == null ? "" : `, candidate ${data.candidate}`}`, "best")];
    case "champion":
      return [line(`champion ${metricName(data.metric)} ${data.value.toFixed(4)}, generation ${data.generation}`, "best")];
    case "derived":
      return data.changed_edges > 0 ? [line(`derived: ${plural(data.changed_edges, unitOf(data))} changed`)] : [];
    case "phase_started":
      return [line(`${data.title} started`)];
    case "notice":
      return [line(data.message, "warn")];
    case "finalist":
      return [line(`finishing: ${data.title}`)];
    case "model":
      return [line(`${modelName(data.index, data.role, finalists)} tested${modelScore(data.metrics)}`, "best")];
    case "assessment":
      return [...besideLine(data, finalists).map((text) => line(text)), ...(data.warnings ?? []).map((sentence) => line(sentence, "warn"))];
    case "search_stopped":
      return [line(`search stopped: ${data.message}`)];
    case "run_completed":
      return [line(data.message)];
    case "ops":
      // The science event `run_completed` has said it already.
      if (data.what === "completed") return [];
      return [line(data.message || data.what, data.what === "failed" || data.what === "diverged" ? "bad" : data.what === "lease_lost" ? "warn" : "")];
    default:
      return [];
  }
}

/** What the log calls a model that was tested. */
function modelName(index: number, role: string, finalists: readonly FinalistChosen[]): string {
  if (role === "finalist" && finalists.filter((item) => item.role === "finalist").length < 2) return "best architecture";
  return finalists.find((item) => item.index === index)?.title ?? (role === "finalist" ? "best architecture" : "random architecture");
}

/** The network beside the simple models, by the first figure that they share, on the test part where that was opened. */
function besideLine({ index, role, parts }: Assessment, finalists: readonly FinalistChosen[]): string[] {
  const part = parts.find((item) => item.split === "test") ?? parts[0];
  const shared = part?.models[0]?.figures.find((figure) => figure.value !== null);
  if (part === undefined || shared === undefined || part.models.length < 2) return [];
  const values = part.models.slice(1).map((model) => `${model.title} ${metric(model.figures.find((figure) => figure.metric === shared.metric)?.value)}`);
  const where = part.split === "test" ? "test" : "validation";
  return [`${modelName(index, role, finalists)} has ${shared.name} ${metric(shared.value)} on the ${where} part; ${values.join(", ")}`];
}

function modelScore(metrics: Record<string, number>): string {
  const key = scoreKey(metrics, "test");
  return key === null ? "" : `: ${metricName(key)} ${metric(metrics[key])}`;
}

/** What a derived genome counts its changes in. Runs from before it was said had edges. */
function unitOf({ unit }: Partial<DerivedGenome>): string {
  return unit ?? "edge";
}
