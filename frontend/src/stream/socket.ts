/**
 * The live connection of a run: WebSocket with resume. After any break it goes on behind the last event that was applied, so nothing is
 * lost and nothing comes twice; waiting between attempts doubles up to ten seconds, with jitter.
 */
import type { Run } from "../api/types";
import type { EventRecord } from "../types/events.gen";
import type { RunStore } from "./store";

interface Hello {
  type: "hello";
  protocol: number;
  last_seq: number;
  run: Run;
}
interface Events {
  type: "events";
  from_seq: number;
  to_seq: number;
  events: EventRecord[];
}
type ServerFrame = Hello | Events | { type: "run"; run: Run } | { type: "ping" };

const FIRST_WAIT = 400;
const LONGEST_WAIT = 10_000;
/** The server pings; silence beyond this means that the connection is dead although nobody said so. */
const SILENCE = 45_000;
/** Close codes that no retry can mend: not logged in, foreign origin, absent or not yours. */
const FINAL_CODES = new Set([4401, 4403, 4404]);

export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  close(): void;
}

export class RunSocket {
  private socket: SocketLike | null = null;
  private wait = FIRST_WAIT;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly runId: string,
    private readonly store: RunStore,
    private readonly open: (url: string) => SocketLike = (url) => new WebSocket(url) as unknown as SocketLike,
    private readonly random: () => number = Math.random,
  ) {}

  start(): void {
    this.connect();
    window.addEventListener("online", this.hurry);
  }

  stop(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    window.removeEventListener("online", this.hurry);
    this.socket?.close();
  }

  /** Try again now rather than at the end of the wait. */
  readonly hurry = (): void => {
    if (this.closed || this.socket) return;
    clearTimeout(this.timer);
    this.connect();
  };

  private connect(): void {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const socket = this.open(`${scheme}://${window.location.host}/ws/v1/runs/${this.runId}/?after=${this.store.lastSeq}`);
    this.socket = socket;
    this.listenForSilence();
    socket.onmessage = (event) => {
      this.listenForSilence();
      this.receive(JSON.parse(event.data) as ServerFrame);
    };
    socket.onclose = (event) => this.lost(socket, event.code);
  }

  private receive(frame: ServerFrame): void {
    switch (frame.type) {
      case "hello":
        this.wait = FIRST_WAIT;
        this.store.setRun(frame.run);
        this.progressOf(frame.last_seq);
        return;
      case "events":
        if (this.store.applyRange(frame.from_seq, frame.to_seq, frame.events) === "gap") this.again();
        else this.progressOf(Math.max(frame.to_seq, this.store.run?.last_seq ?? 0));
        return;
      case "run":
        this.store.setRun(frame.run);
        return;
      case "ping":
        return;
    }
  }

  private progressOf(last: number): void {
    const behind = Math.max(0, last - this.store.lastSeq);
    this.store.setConnection(behind > 200 ? "catching-up" : "live", behind);
  }

  /** A gap: what was promised did not come. Subscribe anew behind what is held. */
  private again(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
    this.connect();
  }

  private lost(socket: SocketLike, code: number): void {
    if (this.closed || socket !== this.socket) return;
    this.socket = null;
    clearTimeout(this.silence);
    if (FINAL_CODES.has(code)) {
      this.store.setConnection("gone");
      return;
    }
    this.store.setConnection(navigator.onLine === false ? "offline" : "reconnecting");
    this.timer = setTimeout(() => this.connect(), this.wait * (0.5 + this.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  private listenForSilence(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket?.close(), SILENCE);
  }
}
