import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RunSocket, type SocketLike } from "../../src/stream/socket";
import { RunStore } from "../../src/stream/store";
import { born, run } from "./events";

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  constructor(readonly url: string) {}
  close() {
    this.closed = true;
    this.onclose?.({ code: 1000 });
  }
  say(frame: unknown) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

let opened: FakeSocket[];
let store: RunStore;
let socket: RunSocket;
const latest = () => opened[opened.length - 1] as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  store = new RunStore((flush) => flush());
  socket = new RunSocket("r1", store, (url) => {
    const made = new FakeSocket(url);
    opened.push(made);
    return made;
  }, () => 0.5);
  socket.start();
  latest().say({ type: "hello", protocol: 1, last_seq: 0, run: run() });
});
afterEach(() => {
  socket.stop();
  vi.useRealTimers();
});

describe("the run's socket", () => {
  it("asks for what comes after the last event, and is live once it has it", () => {
    expect(latest().url).toContain("/ws/v1/runs/r1/?after=0");
    latest().say({ type: "events", from_seq: 1, to_seq: 2, events: [born(1, 0), born(2, 1)] });
    expect(store.lastSeq).toBe(2);
    expect(store.connection).toBe("live");
  });

  it("comes back after a break, behind the last event that was applied, waiting longer each time", () => {
    latest().say({ type: "events", from_seq: 1, to_seq: 2, events: [born(1, 0), born(2, 1)] });
    latest().onclose?.({ code: 1006 });
    expect(store.connection).toBe("reconnecting");
    vi.advanceTimersByTime(399);
    expect(opened).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(opened).toHaveLength(2);
    expect(latest().url).toContain("after=2");
    latest().onclose?.({ code: 1006 });
    vi.advanceTimersByTime(799);
    expect(opened).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(opened).toHaveLength(3);
    latest().say({ type: "hello", protocol: 1, last_seq: 3, run: run() });
    latest().say({ type: "events", from_seq: 3, to_seq: 3, events: [born(3, 2)] });
    expect(store.candidates.count).toBe(3);
    expect(store.connection).toBe("live");
  });

  it("subscribes again at a gap and takes nothing from behind it", () => {
    latest().say({ type: "events", from_seq: 5, to_seq: 5, events: [born(5, 4)] });
    expect(opened).toHaveLength(2);
    expect(opened[0]?.closed).toBe(true);
    expect(latest().url).toContain("after=0");
    expect(store.candidates.count).toBe(0);
  });

  it("says how far behind it is", () => {
    latest().say({ type: "hello", protocol: 1, last_seq: 5000, run: run() });
    expect(store.connection).toBe("catching-up");
    expect(store.behind).toBe(5000);
  });

  it("gives up where no retry helps", () => {
    latest().onclose?.({ code: 4404 });
    vi.advanceTimersByTime(60_000);
    expect(opened).toHaveLength(1);
    expect(store.connection).toBe("gone");
  });

  it("notices a connection that died silently", () => {
    vi.advanceTimersByTime(44_000);
    latest().say({ type: "ping" });
    vi.advanceTimersByTime(44_000);
    expect(opened).toHaveLength(1);
    vi.advanceTimersByTime(2_000);
    expect(opened.length).toBeGreaterThan(1);
  });
});
