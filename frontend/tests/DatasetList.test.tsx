import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, it } from "vitest";
import fixtures from "./fixtures/schemas.json";
import type { Algorithm, Compatible, Dataset, RunSchema } from "../src/api/types";
import type { JsonSchema } from "../src/schema/jsonSchema";
import type { Catalogue } from "../src/views/new/compatibility";
import { DatasetList } from "../src/views/new/DatasetList";
import { formsOf, type Chosen } from "../src/views/new/draft";

afterEach(cleanup);

const schema = (name: string) => (fixtures as unknown as Record<string, { schema: JsonSchema }>)[name]!.schema;
const dataset = (id: string) =>
  ({ id, title: id.toUpperCase(), provides: "samples", input_kind: "image", shape: { input: [1, 8, 8], classes: 10 }, sizes: {}, available: true, missing_files: [], schema: schema("dataset:digits") }) as unknown as Dataset;
const pathnet = { id: "pathnet", title: "PathNet", domains: { least: 2, most: 3, default: [] }, schema: schema("algorithm:random") } as unknown as Algorithm;
const catalogue: Catalogue = {
  algorithms: [pathnet],
  spaces: [],
  datasets: [dataset("digits"), dataset("fashion"), dataset("table")],
  compatibility: ["digits", "fashion"].map((id) => ({ algorithm: "pathnet", space: "modular", dataset: id, budgets: [], idle: [] }) as Compatible),
};
const forms = formsOf(catalogue, { training: schema("training"), finale: schema("finale"), run: schema("run") } as RunSchema);

function setup(start: Chosen[], problems: [string, string][] = []) {
  let latest = start;
  function Harness() {
    const [datasets, setDatasets] = useState(start);
    const onChange = (next: Chosen[]) => {
      latest = next;
      setDatasets(next);
    };
    return <DatasetList catalogue={catalogue} forms={forms} datasets={datasets} space="modular" algorithms={[pathnet]} problems={new Map(problems)} eager={false} onChange={onChange} />;
  }
  render(<Harness />);
  return () => latest;
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

it("adds, moves and removes data sets, each with its own options", () => {
  const latest = setup([
    { id: "digits", options: { labels: [0, 1] } },
    { id: "fashion", options: {} },
  ]);
  press("Move data set 2 up");
  expect(latest()).toEqual([{ id: "fashion", options: {} }, { id: "digits", options: { labels: [0, 1] } }]);
  expect(screen.getByRole("status").textContent).toBe("FASHION is now data set 1 of 2.");
  press("Move data set 1 up");
  expect(latest().map((item) => item.id)).toEqual(["fashion", "digits"]);
  press("Add a data set");
  expect(latest()[2]).toEqual({ id: "digits", options: {} });
  expect(document.activeElement).toBe(screen.getByLabelText("Data set 3"));
  press("Add a data set"); // PathNet takes three here at most
  expect(latest()).toHaveLength(3);
  fireEvent.change(screen.getAllByLabelText("Classes")[2]!, { target: { value: "4, 5" } });
  press("Remove data set 1");
  expect(latest()).toEqual([{ id: "digits", options: { labels: [0, 1] } }, { id: "digits", options: { labels: [4, 5] } }]);
  fireEvent.change(screen.getByLabelText("Data set 1"), { target: { value: "fashion" } });
  expect(latest()[0]).toEqual({ id: "fashion", options: {} });
});

it("offers only what fits, and says what is wrong at its place", () => {
  setup(
    [{ id: "digits", options: {} }, { id: "fashion", options: {} }],
    [["datasets", "All must have one shape."], ["datasets.1", "Its files are missing."]],
  );
  const options = [...(screen.getByLabelText("Data set 1") as HTMLSelectElement).options];
  expect(options.filter((option) => !option.disabled).map((option) => option.value)).toEqual(["digits", "fashion"]);
  expect(screen.getByRole("alert").textContent).toBe("All must have one shape.");
  const second = screen.getByLabelText("Data set 2");
  expect(second.getAttribute("aria-invalid")).toBe("true");
  expect(document.getElementById(second.getAttribute("aria-describedby")!)?.textContent).toBe("Its files are missing.");
});
