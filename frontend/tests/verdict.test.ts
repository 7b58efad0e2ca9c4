import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { besideOne, besideRandom, halfInterval, meanText, paired } from "../src/views/verdict";

describe("a mean", () => {
  it("comes with its 95 % interval by Student's t, and with n", () => {
    // t(4) = 2.776, deviation 1.5811: 2.776 * 1.5811 / sqrt(5) = 1.963.
    expect(halfInterval([1, 2, 3, 4, 5])).toBeCloseTo(1.963, 3);
    expect(halfInterval([1])).toBeNull();
    expect([meanText([0.5]), meanText([0.4, 0.6]), meanText([])]).toEqual(["0.5000 (n = 1)", "0.5000 ± 1.271 (n = 2)", "–"]);
  });
});

describe("a comparison", () => {
  it("of one run is an observation and says of how many", () => {
    const words = besideRandom("test_accuracy", 0.9, [0.88, 0.91]);
    expect(words).toContain("2 random architectures");
    expect(words).toContain("from 0.8800 to 0.9100");
    expect(words).toContain("above 1 of 2");
    for (const said of [words, besideOne("test_r2", 0.9, 0.7, "full model")]) expect(said).toMatch(/n = 1.*no verdict/);
    expect(besideRandom("test_accuracy", 0.9, [])).toBe("");
  });

  it("gives a verdict only from five pairs of equal seeds on, and only where the interval leaves out zero", () => {
    const other = [0.8, 0.82, 0.81, 0.79, 0.8];
    const shifted = (by: number, noise: number[]) => ({ own: other.map((value, index) => value + by + (noise[index] ?? 0)), other });
    const small = [0.001, -0.001, 0, 0.001, -0.001];
    expect(paired("test_accuracy", { own: [0.9, 0.9, 0.9, 0.9], other: other.slice(1) }, "Random search")).toBe("no verdict against Random search: 4 pairs of equal seeds, at least 5 are needed");
    expect(paired("test_accuracy", shifted(0.02, small), "Random search")).toMatch(/^better than Random search: by 1\.9 to 2\.1 points \(95 %, n = 5 pairs/);
    expect(paired("test_accuracy", shifted(-0.02, small), "Random search")).toMatch(/^worse than Random search: difference -2\.1 to -1\.9 points/);
    expect(paired("test_accuracy", shifted(0.001, [0.02, -0.02, 0.01, -0.01, 0]), "Random search")).toMatch(/^no difference to Random search is shown/);
  });
});

describe("sentences of the pages", () => {
  const files = (folder: string): string[] => readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : /\.tsx?$/.test(name) ? [path] : [];
  });
  /** Words by which one thing is said to win or to cause another. */
  const COMPARING = /\b(better|worse|beats?|outperforms?|superior|as good as|most fairly|proves?|learned transfer)\b/i;
  /** Sentences that compare no runs: what a number means, what a law does, and the state of the form. */
  const KNOWN = [/better when larger/, /(higher|lower) is better/, /the other way round/];

  /** What a method aims at, or what mostly comes of it, said as what is so; tests/test_sentences.py has the engine's. */
  const PROMISING = /never its result|shows everything|explains itself|The best networks|and the grid finds more|^(?!.*On equal hardware).*[Tt]he same seed gives the same search|predict\.py picture\.png/;

  it("promise nothing that a run may not keep", () => {
    const found = files(join(__dirname, "../src")).flatMap((path) => readFileSync(path, "utf8").split("\n").filter((line) => PROMISING.test(line)).map((line) => `${path.split("/src/")[1]}: ${line.trim()}`));
    expect(found).toEqual([]);
    for (const wrong of ["changes the speed of a search, never its result.", "0-4. The same seed gives the same search.", "it shows everything once", "python predict.py picture.png"]) expect(wrong).toMatch(PROMISING);
  });

  it("compare runs in verdict.ts alone, which knows n", () => {
    const found = files(join(__dirname, "../src"))
      .filter((path) => !path.endsWith("views/verdict.ts") && !/[\\/](explore|types)[\\/]/.test(path))
      .flatMap((path) =>
        readFileSync(path, "utf8")
          .split("\n")
          .map((line) => line.replace(/^\s*(\/\/|\/?\*).*$/, "").replace(/\/\/ .*$/, "").replace(/\/\*.*?\*\//g, ""))
          .filter((line) => COMPARING.test(line) && !KNOWN.some((known) => known.test(line)))
          .map((line) => `${path.split("/src/")[1]}: ${line.trim()}`),
      );
    expect(found).toEqual([]);
  });
});
