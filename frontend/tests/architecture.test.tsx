import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/problem";
import type { Architecture, SearchSpace } from "../src/api/types";
import { fromAddress, readOptions, toAddress } from "../src/views/architecture/address";
import { ArchitecturePage } from "../src/views/architecture/ArchitecturePage";
import { asJson, EXAMPLES, operationsText, optionsText } from "../src/views/architecture/words";

const { readArchitecture, getSpaces, getGenome, getRun } = vi.hoisted(() => ({ readArchitecture: vi.fn(), getSpaces: vi.fn(), getGenome: vi.fn(), getRun: vi.fn() }));
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), readArchitecture, getSpaces, getGenome, getRun }));

const edge = (source: string, target: string, operation: string | null) => ({ source, target, operation, weight: null, attributes: {} });
const node = (id: string) => ({ id, label: id, attributes: {} });
const cell = { nodes: ["0", "1", "2"].map(node), edges: [edge("0", "1", "skip"), edge("0", "2", "conv"), edge("1", "2", "conv"), edge("1", "2", null)], attributes: {} };
const found = {
  space: "nb201", space_title: "NAS-Bench-201", space_options: {}, string: "|conv~0|", text: "|conv~0|", genome: { space: "nb201", content: { ops: [1] } }, hash: "ab".repeat(20),
  drawings: { cell }, trains: true, searches: [{ id: "regularized_evolution", title: "Regularized evolution" }],
} as unknown as Architecture;

beforeEach(() => {
  vi.clearAllMocks();
  window.history.replaceState(null, "", "/architecture");
  getSpaces.mockResolvedValue([{ id: "sequence", title: "Sequence" }] as unknown as SearchSpace[]);
});
afterEach(() => {
  cleanup();
  window.sessionStorage.clear();
});

describe("an address", () => {
  it("carries a short text itself, and a long one by name", () => {
    expect(toAddress("|a|", "h")).toBe("|a|");
    const long = "x".repeat(4001);
    expect(toAddress(long, "h")).toBe("kept:h");
    expect([fromAddress("|a|"), fromAddress("kept:h"), fromAddress("kept:other")]).toEqual(["|a|", long, ""]);
  });
  it("carries options, and none where it was changed by hand", () => {
    expect(readOptions('{"nodes":4}')).toEqual({ nodes: 4 });
    for (const text of [null, "", "{", "[1]", "4", "null"]) expect(readOptions(text)).toEqual({});
  });
});

it("counts operations over all drawings, the most frequent first", () => {
  expect(operationsText({ normal: cell, reduction: cell } as unknown as Architecture["drawings"])).toBe("4 × conv, 2 × skip");
  expect(optionsText({ nodes: 4, kind: "wide" })).toBe("nodes 4, kind wide");
  expect(JSON.parse(asJson(found))).toEqual({ space: "nb201", space_options: {}, genome: found.genome });
});

const paste = async (text: string) => {
  fireEvent.change(screen.getByLabelText("Text of the architecture"), { target: { value: text } });
  await act(async () => new Promise((resolve) => setTimeout(resolve, 350)));
};

it("says what to paste, tries an example, draws it, and offers both ways on", async () => {
  readArchitecture.mockResolvedValue(found);
  render(<ArchitecturePage />);
  expect(screen.getByText("Paste an architecture above")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: EXAMPLES[0]![0] }));
  expect(screen.getByRole("status", { name: "Reading the architecture" })).toBeTruthy();
  const train = await screen.findByRole("link", { name: "Train it" });
  expect(readArchitecture.mock.calls[0]![0]).toEqual({ text: EXAMPLES[0]![1], space: "", space_options: {} });
  const query = (link: HTMLElement) => Object.fromEntries(new URLSearchParams(link.getAttribute("href")!.split("?")[1]));
  expect(query(train)).toEqual({ architecture: "|conv~0|", space: "nb201", options: "{}", use: "train" });
  expect(query(screen.getByRole("link", { name: "Start a search from it" }))).toMatchObject({ use: "start" });
  expect(screen.getByText("It is the first of the population; the others are its children, by one mutation each. Possible with: Regularized evolution.")).toBeTruthy();
  expect(screen.getByLabelText("The architecture as its space writes it").textContent).toContain("|conv~0|");
  expect(window.location.search).toBe(`?text=${encodeURIComponent(EXAMPLES[0]![1]).replaceAll("~", "%7E")}`);
});

it("puts what is wrong at its field, and says why a way is closed", async () => {
  const refusal = (field: string, message: string) => new ApiError(400, { detail: message, field, problems: [{ field, message, code: "invalid" }] });
  readArchitecture.mockRejectedValueOnce(refusal("text", "there is no nor_conv_5x5"));
  render(<ArchitecturePage />);
  await paste("|nor_conv_5x5~0|");
  expect(screen.getByLabelText("Text of the architecture").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByRole("alert").textContent).toBe("There is no nor_conv_5x5");
  readArchitecture.mockRejectedValueOnce(refusal("space", "name it"));
  await paste("3 1 2");
  expect(screen.getByLabelText("Search space").getAttribute("aria-invalid")).toBe("true");
  readArchitecture.mockResolvedValueOnce({ ...found, trains: false, searches: [] });
  await act(async () => fireEvent.change(screen.getByLabelText("Search space"), { target: { value: "sequence" } }));
  await act(async () => new Promise((resolve) => setTimeout(resolve, 350)));
  expect(readArchitecture.mock.lastCall![0]).toEqual({ text: "3 1 2", space: "sequence", space_options: {} });
  expect(screen.getByRole("button", { name: "Train it" }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByText("Nothing of this space is trained here: a formula scores it.")).toBeTruthy();
  expect(screen.getByText("No installed algorithm begins with architectures of this space.")).toBeTruthy();
});

it("begins with a genome of a run, and its options go when another text is pasted", async () => {
  window.history.replaceState(null, "", "/architecture?genome=g1");
  getGenome.mockResolvedValue({ id: "g1", run: "r1", space: "cell", content: { a: 1 } });
  getRun.mockResolvedValue({ space: "cell", config: { space_options: { nodes: 2 } } });
  readArchitecture.mockResolvedValue(found);
  render(<ArchitecturePage />);
  await screen.findByRole("link", { name: "Train it" });
  expect(readArchitecture.mock.calls[0]![0]).toEqual({ text: '{"space":"cell","content":{"a":1}}', space: "cell", space_options: { nodes: 2 } });
  await paste("|x|");
  expect(readArchitecture.mock.lastCall![0]).toEqual({ text: "|x|", space: "cell", space_options: {} });
});

it("says that the server does not answer, and asks again", async () => {
  readArchitecture.mockRejectedValueOnce(new ApiError(0, {}));
  render(<ArchitecturePage />);
  await paste("|x|");
  expect(screen.getByRole("alert").textContent).toContain("The server cannot be reached.");
  readArchitecture.mockResolvedValueOnce(found);
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("link", { name: "Train it" })).toBeTruthy();
});
