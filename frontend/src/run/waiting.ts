/** Why there is no picture yet, in plain words. */
import type { Run } from "../api/types";

export function waitingText(run: Run): { title: string; text: string } {
  switch (run.state) {
    case "queued":
      return { title: "Waiting for a worker", text: "The run starts as soon as a worker is free. The Workers page shows who is busy." };
    case "running":
      return { title: "Starting", text: "Loading the data and building the first architecture." };
    case "pausing":
      return { title: "Pausing", text: "The present step is finished first; then the worker is free." };
    case "paused":
      return { title: "Paused", text: run.reason || "Nothing is lost. Resume goes on exactly where it stopped." };
    case "failed":
      return { title: "Failed", text: run.reason || "The run ended with an error." };
    case "cancelled":
      return { title: "Cancelled", text: run.reason || "The run was cancelled before it had anything to show." };
    case "completed":
      return { title: "Finished", text: run.reason };
  }
}
