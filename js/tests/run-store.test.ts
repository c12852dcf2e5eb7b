import { afterEach, describe, expect, it, vi } from "vitest";
import { RunStore } from "../src/host/run-store";
import { LatestWins } from "../src/lib/latest";
import { FakeModel, runState, VALUES } from "./model";

const bytes = (...content: number[]) => [new DataView(new Uint8Array(content).buffer)];

describe("a preview", () => {
  const preview = (run: number) => ({ kind: "preview", run, seq: 1, mime: "image/jpeg" }) as const;
  const store = (phase: "running" | "done") =>
    new RunStore(
      new FakeModel({ _run: runState({ run: 2, phase }), _values: VALUES }),
      new AbortController().signal,
    );

  it("of the run that goes on is shown", async () => {
    const runs = store("running");
    runs.hear(preview(2), bytes(1, 2));
    expect(runs.preview.value?.type).toBe("image/jpeg");
    expect([...new Uint8Array((await runs.preview.value?.arrayBuffer()) ?? [])]).toEqual([1, 2]);
  });

  it.each([1, 3])("of another run is not (run %i)", (run) => {
    const runs = store("running");
    runs.hear(preview(run), bytes(1));
    expect(runs.preview.value).toBeNull();
  });

  it("that comes after the end is not", () => {
    const runs = store("done");
    runs.hear(preview(2), bytes(1));
    expect(runs.preview.value).toBeNull();
  });

  it("without its bytes changes nothing", () => {
    const runs = store("running");
    runs.hear(preview(2), bytes(1));
    const before = runs.preview.value;
    runs.hear(preview(2), []);
    expect(runs.preview.value).toBe(before);
  });
});

it("a frame that cannot be read does not take the place of the newest", async () => {
  const painted: number[] = [];
  const queue = new LatestWins<number>(async (item) => {
    await Promise.resolve();
    if (item === 1) throw new Error("broken");
    painted.push(item);
  });
  queue.put(1);
  queue.put(2);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(painted).toEqual([2]);
});

describe("a cancel", () => {
  afterEach(() => vi.useRealTimers());
  const open = () => {
    vi.useFakeTimers();
    const model = new FakeModel({ _run: runState({ run: 2, phase: "running" }), _values: VALUES });
    return { model, store: new RunStore(model, new AbortController().signal) };
  };

  it("that a busy kernel does not hear is told of, until it does", () => {
    const { model, store } = open();
    store.cancel();
    store.cancel();
    expect(store.run.value.warnings).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(store.run.value.warnings).toEqual([expect.stringContaining("The kernel is busy")]);
    model.put("_run", runState({ run: 2, phase: "running", fraction: 0.5 }));
    expect(store.run.value.warnings).toHaveLength(1);
    model.put("_run", runState({ run: 2, phase: "cancelling" }));
    expect(store.run.value.warnings).toEqual([]);
    model.put("_run", runState({ run: 3, phase: "running" }));
    expect(store.run.value.warnings).toEqual([]);
  });

  it("that was heard says nothing", () => {
    const { model, store } = open();
    store.cancel();
    model.put("_run", runState({ run: 2, phase: "cancelled" }));
    vi.advanceTimersByTime(2000);
    expect(store.run.value.warnings).toEqual([]);
  });
});
