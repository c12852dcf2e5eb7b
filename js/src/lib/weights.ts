/** Weights of words in a prompt, as ComfyUI's editor writes them: "(red boat:1.1)". */

export interface Selection {
  text: string;
  start: number;
  end: number;
}

const WEIGHTED = /^\(([\s\S]*):\s*([+-]?\d*\.?\d+)\s*\)$/;
const STEP = 0.05;
const BREAKS = /[\s,.()[\]{}<>|"]/;

/** The text after a step up or down, with the same words selected; null where there is nothing to weigh. */
export function weigh({ text, start, end }: Selection, direction: 1 | -1): Selection | null {
  const [from, to] = trimmed(text, start === end ? wordAt(text, start) : [start, end]);
  if (from === to) return null;
  const [outerFrom, outerTo] = enclosing(text, from, to);
  const chosen = text.slice(outerFrom, outerTo);
  const [, words = chosen, weight = "1"] = WEIGHTED.exec(chosen) ?? [];
  const next = Math.round((Number(weight) + direction * STEP) * 100) / 100;
  const written = next === 1 ? words : `(${words}:${next})`;
  const inner = outerFrom + (next === 1 ? 0 : 1);
  return {
    text: text.slice(0, outerFrom) + written + text.slice(outerTo),
    start: inner,
    end: inner + words.length,
  };
}

function wordAt(text: string, at: number): [number, number] {
  let [start, end] = [at, at];
  while (start > 0 && !BREAKS.test(text[start - 1] ?? "")) start -= 1;
  while (end < text.length && !BREAKS.test(text[end] ?? "")) end += 1;
  // Inside the number of a weight, the weighted words are meant.
  const open = text.lastIndexOf("(", at);
  const close = text.indexOf(")", at);
  if (open >= 0 && close >= 0) {
    const whole = text.slice(open, close + 1);
    const colon = open + whole.lastIndexOf(":");
    if (WEIGHTED.test(whole) && at > colon) return [open + 1, colon];
  }
  return [start, end];
}

function trimmed(text: string, [start, end]: [number, number]): [number, number] {
  const chosen = text.slice(start, end);
  const from = start + chosen.length - chosen.trimStart().length;
  return [from, Math.max(from, start + chosen.trimEnd().length)];
}

/** The parentheses with a weight that belong to just these words, if there are any. */
function enclosing(text: string, start: number, end: number): [number, number] {
  if (WEIGHTED.test(text.slice(start, end))) return [start, end];
  const weight = /^:\s*[+-]?\d*\.?\d+\s*\)/.exec(text.slice(end));
  if (text[start - 1] === "(" && weight !== null) return [start - 1, end + weight[0].length];
  // A word in a weighted group: the group is weighed.
  const open = text.lastIndexOf("(", start);
  const close = text.indexOf(")", end);
  if (open >= 0 && close >= 0 && WEIGHTED.test(text.slice(open, close + 1))) {
    const inside = text.slice(open + 1, close);
    if (!/[()]/.test(inside)) return [open, close + 1];
  }
  return [start, end];
}
