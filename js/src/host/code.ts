/**
 * The code of the widgets, kept once in a page.
 *
 * A widget carries only the start module. Everything else comes from Python as a message with the files of one part,
 * each an ES module that names the ones before it by relative paths; here they become modules of the page. The
 * cache belongs to one build, so two versions of the package in one page do not meet.
 */
import type { CodeMessage } from "../lib/wire";
import { type Model, send } from "./model";

/** A widget that needs a part which is not in the page yet. */
interface Waiter {
  part: string;
  model: Model;
  /** Whether this is the one that has asked Python, also for the others of its kernel. */
  asked: boolean;
  arrived(url: string): void;
}

export class Code {
  readonly #urls = new Map<string, string>();
  readonly #waiting = new Set<Waiter>();

  /** Keep the files of a message, and wake the widgets that wait for them. */
  take({ files }: CodeMessage, buffers: readonly DataView[]): void {
    files.forEach((name, index) => {
      const bytes = buffers[index];
      if (bytes === undefined || this.#urls.has(name)) return;
      const module = new Blob([this.#link(name, new TextDecoder().decode(bytes))], {
        type: "text/javascript",
      });
      this.#urls.set(name, URL.createObjectURL(module));
    });
    for (const waiter of this.#waiting) {
      const url = this.#urls.get(`${waiter.part}.js`);
      if (url === undefined) continue;
      this.#waiting.delete(waiter);
      waiter.arrived(url);
    }
  }

  has(part: string): boolean {
    return this.#urls.has(`${part}.js`);
  }

  /**
   * The module of a part. Where it is not in the page, the model's kernel is asked for it, once for all the widgets
   * that wait for the same; a busy kernel answers later.
   */
  async load(part: string, model: Model, ended: AbortSignal): Promise<unknown> {
    const url = this.#urls.get(`${part}.js`) ?? (await this.#arrival(part, model, ended));
    return import(/* @vite-ignore */ url);
  }

  #arrival(part: string, model: Model, ended: AbortSignal): Promise<string> {
    return new Promise((arrived) => {
      const waiter: Waiter = { part, model, asked: false, arrived };
      this.#waiting.add(waiter);
      this.#ask(waiter);
      // Whoever waited for this widget's answer must not wait for a widget that is closed.
      ended.addEventListener("abort", () => {
        this.#waiting.delete(waiter);
        if (waiter.asked) this.#ask([...this.#waiting].find((other) => alike(other, waiter)));
      });
    });
  }

  #ask(waiter: Waiter | undefined): void {
    if (waiter === undefined) return;
    if ([...this.#waiting].some((other) => other.asked && alike(other, waiter))) return;
    waiter.asked = true;
    send(waiter.model, { kind: "code", part: waiter.part });
  }

  /** A module of a blob has no folder: what it imports is named by URL. */
  #link(name: string, text: string): string {
    const linked = text.replace(/"\.\/([\w-]+\.js)"/g, (path, file) => {
      const url = this.#urls.get(file);
      return url === undefined ? path : JSON.stringify(url);
    });
    return `${linked}\n//# sourceURL=comfy_widgets/${name}`;
  }
}

/** Whether one answer serves both: the same part, from the same kernel. */
function alike(one: Waiter, other: Waiter): boolean {
  return one.part === other.part && one.model.widget_manager === other.model.widget_manager;
}

/** The code of a build in this page. */
export function codeOf(build: string): Code {
  const page = globalThis as { [key: symbol]: Map<string, Code> | undefined };
  const key = Symbol.for("comfy_widgets.code");
  const builds = page[key] ?? new Map<string, Code>();
  page[key] = builds;
  const code = builds.get(build) ?? new Code();
  builds.set(build, code);
  return code;
}
