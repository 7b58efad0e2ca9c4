/** Symbols stand as the sources write them, for every name that the engine's options have. */
import { cleanup, render } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { metricName } from "../src/ui/format";
import { Marked } from "../src/ui/Marked";
import { piecesOf, SYMBOLS } from "../src/ui/symbols";
import schemas from "./fixtures/schemas.json";

afterEach(cleanup);

const SPELT = /\b(alpha|beta|gamma|epsilon|lambda|mu|rho|sigma|tau|theta|xi|omega)\b/i;

/** Every name of an option, at every depth. */
function namesOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(namesOf);
  if (node === null || typeof node !== "object") return [];
  return Object.entries(node).flatMap(([key, value]) => (key === "properties" ? [...Object.keys(value as object), ...namesOf(value)] : namesOf(value)));
}

describe("symbols", () => {
  it("are never spelt out in a label, whatever the option or number is called", () => {
    const names = [...new Set(namesOf(schemas))];
    expect(names).toContain("lambda_prior_q");
    for (const name of [...names, "kl_struct_2", "kl_gamma", "train_lambda", "rho_mean"]) expect(metricName(name), name).not.toMatch(SPELT);
  });

  it("of the objectives are all in their table", () => {
    const greek = [...new Set(namesOf(schemas))].filter((name) => /^(lambda|theta|xi)(_|$)/.test(name));
    expect(greek.filter((name) => !(name in SYMBOLS))).toEqual([]);
    expect(metricName("kl_struct_12")).toBe("KL(p(Γ) ‖ p′₁₂)");
  });

  it("have their indices raised and lowered", () => {
    expect(piecesOf("λ^Q_prior 0.5").map(({ text, place }) => `${place} ${text}`)).toEqual(["line λ", "up Q", "down prior", "line  0.5"]);
    expect(piecesOf("val_accuracy")).toEqual([{ text: "val_accuracy", place: "line" }]);
    const { container } = render(<Marked text="p′₁, λ^Q_struct = 1 at λ_temp" />);
    expect([...container.querySelectorAll("sup, sub")].map((item) => `${item.tagName} ${item.textContent}`)).toEqual(["SUP Q", "SUB struct", "SUB temp"]);
  });
});
