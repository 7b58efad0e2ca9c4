import { describe, expect, it } from "vitest";
import type { Plugin } from "../src/api/types";
import type { Catalogue } from "../src/views/new/compatibility";
import type { Draft } from "../src/views/new/draft";
import { namedBy, sentences, unknownOf } from "../src/views/new/unknown";

const catalogue = { algorithms: [{ id: "random" }], spaces: [{ id: "mlp" }], datasets: [{ id: "digits" }], compatibility: [] } as unknown as Catalogue;
const draft = { algorithms: [{ id: "random", options: {} }], space: "mlp", datasets: [{ id: "digits", options: {} }] } as unknown as Draft;
const plugin: Plugin = { group: "nascope.algorithms", name: "mine", value: "mine:ENTRY", package: "my-package", version: "1", reason: "SyntaxError: invalid syntax" };

const told = (query: string, made: Draft = draft) => sentences(unknownOf(namedBy(new URLSearchParams(query), made), catalogue), [plugin]);

describe("what the form is asked for and this server lacks", () => {
  it("says nothing where everything is there", () => {
    expect(told("algorithm=random&dataset=digits&space=mlp")).toEqual([]);
  });
  it("says why a plug-in was left out", () => {
    expect(told("algorithm=mine")).toEqual(["The algorithm 'mine' of my-package was left out: SyntaxError: invalid syntax. The Workers page says what to do."]);
  });
  it.each(["algorithm", "space", "dataset"])("says that there is no such %s", (name) => {
    expect(told(`${name}=nothing`)).toHaveLength(1);
    expect(told(`${name}=nothing`)[0]).toContain("'nothing' on this server");
  });
  it("looks at what an earlier experiment is made of, too", () => {
    expect(told("experiment=1", { ...draft, algorithms: [{ id: "mine", options: {} }] })[0]).toContain("was left out");
  });
  it("does not throw a long name back whole", () => {
    expect((told(`algorithm=${"x".repeat(201)}`)[0] ?? "").length).toBeLessThan(120);
  });
});
