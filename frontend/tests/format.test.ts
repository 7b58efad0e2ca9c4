import { describe, expect, it } from "vitest";
import { about, bytes, count, duration, metric, plural } from "../src/ui/format";
import { spread } from "../src/views/statistics";

describe("numbers in words", () => {
  it("counts", () => {
    expect([0, 950, 999.96, 12_345, 412_000, 999_999, 4.1e6, 2e9, -1500, 1 / 3].map(count)).toEqual(["0", "950", "1 k", "12.3 k", "412 k", "1 M", "4.1 M", "2 G", "-1.5 k", "0.3"]);
    expect(count(null)).toBe("–");
    expect([bytes(300), bytes(1_240), bytes(52_400_000)]).toEqual(["300 B", "1.2 kB", "52.4 MB"]);
  });
  it("durations", () => {
    expect([0.44, 9.97, 48, 59.7, 130, 3600, 7300, 200_000].map(duration)).toEqual(["0.4 s", "10 s", "48 s", "1 min", "2 min 10 s", "1 h", "2 h 2 min", "2 d 8 h"]);
    expect([0.2, 7, 47, 612, 9000].map(about)).toEqual(["under a second", "about 7 s", "about 45 s", "about 10 min", "about 2.5 h"]);
  });
  it("metrics and plurals", () => {
    expect([0.97423, 1, 2.30259, 123456, NaN].map(metric)).toEqual(["0.9742", "1.0000", "2.303", "123 k", "–"]);
    expect([plural(1, "run"), plural(3, "run")]).toEqual(["1 run", "3 runs"]);
  });
  it("spread over seeds uses n - 1", () => {
    expect(spread([])).toBeNull();
    expect(spread([2])).toEqual({ mean: 2, deviation: null });
    expect(spread([1, 2, 3])).toEqual({ mean: 2, deviation: 1 });
  });
});
