/** What can be taken out of a picture: its figures as a file that a spreadsheet reads, the picture as one that needs nothing of the page. */
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { csvFile, fileName, svgText } from "../../src/pictures/save";
import { SaveMenu } from "../../src/pictures/SaveMenu";
import { PICTURES } from "../../src/pictures/table";
import { FigureTable } from "../../src/ui/FigureTable";
import { csvOf, measured, whole } from "../../src/ui/figures";
import { RunStore } from "../../src/stream/store";
import { born, run, told } from "./events";
import { recordCanvases } from "./recorder";

const picture = PICTURES.find((item) => item.id === "table")!;
let store: RunStore;

beforeAll(recordCanvases);
beforeEach(() => {
  store = new RunStore((flush) => flush());
  store.setRun(run());
  store.applyRange(1, 4, [born(1, 0), told(2, 0, 0.123456789), born(3, 1, [0]), told(4, 1, 0, "failed")]);
});
afterEach(cleanup);

describe("figures as CSV", () => {
  it("have every digit, and quotes where a field needs them", () => {
    const figures = { title: "T", head: ["a", "b, c"], rows: [[measured(0.123456789), 'say "x"'], [measured(NaN), "two\nlines"], [whole(12_345), "–"]] };
    expect(csvOf([figures])).toBe('a,"b, c"\r\n0.123456789,"say ""x"""\r\n,"two\nlines"\r\n12345,–\r\n');
  });

  it("are no formulas to a spreadsheet", () => {
    expect(csvOf([{ title: "T", head: ["a"], rows: [["=1+1"], ["@x"], ["-y"], [measured(-2)]] }])).toBe("a\r\n'=1+1\r\n'@x\r\n'-y\r\n-2\r\n");
  });

  it("say which table is which where there are several", () => {
    const table = (title: string) => ({ title, head: ["x"], rows: [[whole(1)]] });
    expect(csvOf([table("first"), table("second")])).toBe("first\r\nx\r\n1\r\n\r\nsecond\r\nx\r\n1\r\n");
  });

  it("are all rows, where the page shows the first few hundred", () => {
    const figures = { title: "T", head: ["x"], rows: Array.from({ length: 500 }, (_, row) => [whole(row)]) };
    render(<FigureTable figures={figures} />);
    expect(screen.getAllByRole("row")).toHaveLength(401);
    expect(screen.getByText("and 100 more")).toBeTruthy();
    expect(csvOf([figures]).split("\r\n")).toHaveLength(502);
  });
});

describe("files", () => {
  it("are named after run and picture", () => {
    expect(fileName(["R² über alles", "seed", 3, "Data sets"], "csv")).toBe("r2-uber-alles-seed-3-data-sets.csv");
    expect(fileName(["…"], "png")).toBe("picture.png");
  });

  it("of figures begin with a byte order mark", async () => {
    const bytes = new Uint8Array(await csvFile([{ title: "T", head: ["τ"], rows: [] }]).arrayBuffer());
    expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  });

  it("of graphs carry their looks and stand below each other", () => {
    const { container } = render(
      <>
        {[1, 2].map((item) => (
          <svg key={item}>
            <path d="M0 0L9 9" style={{ stroke: "rgb(1, 2, 3)" }} />
          </svg>
        ))}
      </>,
    );
    const graphs = [...container.querySelectorAll("svg")];
    graphs.forEach((graph) => vi.spyOn(graph, "getBoundingClientRect").mockReturnValue({ width: 100, height: 40 } as DOMRect));
    const text = svgText(graphs, "#fff");
    expect(text).toContain('viewBox="0 0 100 80"');
    expect(text).toContain('translate(0 40)');
    expect(text.match(/stroke: rgb\(1, 2, 3\)/g)).toHaveLength(2);
    expect(new DOMParser().parseFromString(text, "image/svg+xml").documentElement.tagName).toBe("svg");
  });
});

describe("the menu", () => {
  const show = () => render(<section className="panel"><SaveMenu store={store} picture={picture} title="Population" /></section>);

  it("saves the figures of the shown moment", async () => {
    const files: Blob[] = [];
    const names: string[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((file) => (files.push(file as Blob), "blob:x"));
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      names.push(this.download);
    });
    show();
    fireEvent.click(screen.getByText("Save"));
    fireEvent.click(screen.getByRole("button", { name: "Figures (CSV)" }));
    expect(names).toEqual(["darts-seed-3-population.csv"]);
    const lines = (await files[0]!.text()).split("\r\n");
    expect(lines[1]).toBe("0,0.123456789,0.123456789,completed,sample,,s0,");
    expect(lines[2]).toBe("1,,0.123456789,failed,mutation,0,s1,");
  });

  it("offers no image of a table, closes on Escape, and is accessible", async () => {
    const { container } = show();
    const menu = container.querySelector("details")!;
    act(() => void (menu.open = true));
    expect(within(menu).queryByRole("button", { name: "Picture" })).toBeNull();
    const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(violations.map((item) => item.id)).toEqual([]);
    fireEvent.keyDown(within(menu).getByRole("button", { name: "Figures (CSV)" }), { key: "Escape" });
    expect(menu.open).toBe(false);
  });
});
