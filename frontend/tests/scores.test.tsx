/** Scores of every task by their own name. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Model } from "../src/api/types";
import { figures } from "../src/run/ControlTable";
import { FinalModel } from "../src/run/FinalModel";
import { Outcome } from "../src/run/Outcome";
import { bestName } from "../src/run/valueNames";
import { RunStore } from "../src/stream/store";
import { metricName } from "../src/ui/format";
import { commonKey, isShare, scoreKey, scoreOf } from "../src/ui/score";
import { RunTable } from "../src/views/RunTable";
import { testScores, testTitle } from "../src/views/experimentText";
import { algorithm, event, run } from "./run/events";

afterEach(cleanup);

const model = (metrics: Record<string, number>, role: "finalist" | "baseline" = "finalist"): Model => ({
  id: role, run: "r1", experiment: { id: "e1", name: "" }, algorithm: algorithm("A"), space: "s", datasets: ["wine"], seed: 0, index: role === "finalist" ? 0 : 1, role,
  genome_hash: "h", metrics, parameters: null, flops: null, bundle: null, reason: "", created: "",
});

describe("a control", () => {
  it("stands beside the search's own figures, whatever the search is called", () => {
    expect(figures({ val_accuracy: 0.9, parameters: 10, adanet_val_accuracy: 0.8, adanet_parameters: 12 })).toEqual([["val_accuracy", 0.9, 0.8], ["parameters", 10, 12]]);
    expect(figures({ loss: 1, val_loss: 2 })).toEqual([["loss", 1, undefined], ["val_loss", 2, undefined]]);
    expect(figures({ samples: 5 })[0]?.[0]).toBe("samples");
    expect(figures({ samples: 5, random_max: 1 })[0]?.[0]).toBe("random_paths");
  });
});

describe("the score of a network", () => {
  it("is the first that its task has", () => {
    expect(scoreKey({ test_loss: 1, test_r2: 0.5 }, "test")).toBe("test_r2");
    expect(scoreKey({ val_accuracy: 1, val_elbo: -3 }, "val")).toBe("val_accuracy");
    expect(scoreKey({ test_loss: 1 }, "test")).toBeNull();
    expect(scoreOf({ test_elbo: -3 }, "test")).toBe(-3);
    expect(commonKey(["test_r2", null, "test_r2"])).toBe("test_r2");
    expect(commonKey(["test_r2", "test_accuracy"])).toBeNull();
    expect(isShare("test_accuracy")).toBe(true);
    expect(isShare("test_r2")).toBe(false);
  });

  it("has a name in words", () => {
    expect(["val_accuracy", "test_r2", "val_elbo", "kl_weights", "lambda_temp", "structure_max"].map(metricName)).toEqual([
      "validation accuracy", "test R²", "validation ELBO", "KL weights", "λ temperature", "largest γ",
    ]);
  });

  it("stands first at the end of a run, whatever it is", () => {
    render(<FinalModel model={model({ test_elbo: -12.5, val_elbo: -13 })} domains={["wine"]} />);
    expect(screen.getByText("test ELBO, once").nextElementSibling?.textContent).toBe("-12.5");
    expect(screen.getByText("validation ELBO").nextElementSibling?.textContent).toBe("-13");
  });

  it("is compared with chance in its own unit", () => {
    const both = run({ state: "completed", datasets: ["wine"], models: [model({ test_r2: 0.9 }), model({ test_r2: 0.7 }, "baseline")] });
    render(<Outcome run={both} store={new RunStore(() => undefined)} />);
    expect(screen.getByText(/by 0\.2000 of test R² better than a random one/)).toBeTruthy();
    expect(screen.getByTestId("baseline-accuracy").textContent).toBe("0.7000");
  });

  it("heads the table of runs; runs of different kinds have a common word", () => {
    const fitted = run({ id: "r1", best: { value: 0.9, metric: "val_r2", candidate: null, genome_hash: "h" }, models: [model({ test_r2: 0.9 })] });
    const coded = run({ id: "r2", models: [model({ test_elbo: -3 })] });
    expect(testScores(fitted)).toEqual([0.9]);
    expect(testTitle([fitted])).toBe("Test R²");
    expect(testTitle([fitted, coded])).toBe("Test score");
    expect(testTitle([run()])).toBe("Test score");
    expect(testTitle([{ ...fitted, models: [] }])).toBe("Test R²");
    render(<RunTable runs={[fitted]} algorithms={[]} />);
    expect(screen.getByRole("button", { name: "Test R²" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Best validation R²" })).toBeTruthy();
    expect(bestName(fitted)).toBe("validation R²");
  });

  it("is in the log when a network was tested", () => {
    const store = new RunStore(() => undefined);
    store.applyRange(1, 1, [event(1, { kind: "model", index: 0, role: "finalist", genome_hash: "h", metrics: { test_r2: 0.5 }, parameters: null, flops: null, bundle: false, reason: "" } as never)]);
    expect(store.log[0]?.text).toBe("best architecture tested: 0.5000");
  });
});
