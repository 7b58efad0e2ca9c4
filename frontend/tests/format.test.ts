import { describe, expect, it } from "vitest";
import { about, bytes, count, duration, metric, plural, share, timeLeft } from "../src/ui/format";
import { spread } from "../src/views/statistics";

describe("numbers in words", () => {
  it("counts", () => {
    expect([0, 950, 999.96, 12_345, 412_000, 999_999, 4.1e6, 2e9, -1500, 1 / 3].map(count)).toEqual(["0", "950", "1 k", "12.3 k", "412 k", "1 M", "4.1 M", "2 G", "-1.5 k", "0.3"]);
    expect(count(null)).toBe("–");
    expect([bytes(300), bytes(1_240), bytes(52_400_000)]).toEqual(["300 B", "1.2 kB", "52.4 MB"]);
  });

  it("says what is left as one figure, or as two where one would say too much", () => {
    expect(timeLeft({ eta_seconds: null })).toBeNull();
    expect(timeLeft({ eta_seconds: 47 })).toBe("about 45 s");
    expect(timeLeft({ eta_seconds: 0.2 })).toBe("a few seconds");
    expect(timeLeft({ eta_seconds: 60, eta_low_seconds: 20, eta_high_seconds: 150 })).toBe("20 s to 3 min");
    expect(timeLeft({ eta_seconds: 12, eta_low_seconds: 0, eta_high_seconds: 30 })).toBe("1 s to 30 s");
    expect(timeLeft({ eta_seconds: 47, eta_low_seconds: null, eta_high_seconds: null })).toBe("about 45 s");
  });
  it("durations", () => {
    expect([0.44, 9.97, 48, 59.7, 130, 3600, 7300, 200_000].map(duration)).toEqual(["0.4 s", "10 s", "48 s", "1 min", "2 min 10 s", "1 h", "2 h 2 min", "2 d 8 h"]);
    expect([0.2, 7, 47, 612, 9000].map(about)).toEqual(["under a second", "about 7 s", "about 45 s", "about 10 min", "about 2.5 h"]);
  });
  it("shares never look like all or nothing where they are not", () => {
    expect([0, 0.001, 0.724, 0.999, 1].map(share)).toEqual(["0 %", "under 1 %", "72 %", "over 99 %", "100 %"]);
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
