import { describe, expect, it } from "vitest";
import { weigh } from "../src/lib/weights";

/** The text with the selection between brackets, before and after a step. */
function step(marked: string, direction: 1 | -1): string {
  const start = marked.indexOf("[");
  const end = marked.indexOf("]") - 1;
  const found = weigh({ text: marked.replace(/[[\]]/g, ""), start, end }, direction);
  if (found === null) return marked;
  const { text } = found;
  return `${text.slice(0, found.start)}[${text.slice(found.start, found.end)}]${text.slice(found.end)}`;
}

describe("a step of weight", () => {
  it.each([
    ["a r[]ed boat", 1, "a ([red]:1.05) boat"],
    ["a [red boat] at sea", 1, "a ([red boat]:1.05) at sea"],
    ["a [red boat ]at sea", -1, "a ([red boat]:0.95) at sea"],
    ["a ([red]:1.05) boat", 1, "a ([red]:1.1) boat"],
    ["a ([red]:1.05) boat", -1, "a [red] boat"],
    ["a [(red:1.2)] boat", 1, "a ([red]:1.25) boat"],
    ["a (r[]ed boat:1.2) at sea", 1, "a ([red boat]:1.25) at sea"],
    ["a (red boat:1.[]2) at sea", -1, "a ([red boat]:1.15) at sea"],
    ["a (red:0.05[]) boat", -1, "a ([red]:0) boat"],
    ["(one:1.1), t[]wo, (three:1.1)", 1, "(one:1.1), ([two]:1.05), (three:1.1)"],
    ["embedding:E[]asyNegative", 1, "([embedding:EasyNegative]:1.05)"],
    ["un éléph[]ant", 1, "un ([éléphant]:1.05)"],
    ["[]", 1, "[]"],
    ["a , []", 1, "a , []"],
  ] as const)("from %s by %d gives %s", (before, direction, after) => {
    expect(step(before, direction)).toBe(after);
  });

  it("and one back is where it began", () => {
    const up = weigh({ text: "a red boat", start: 2, end: 5 }, 1);
    expect(up && weigh(up, -1)).toEqual({ text: "a red boat", start: 2, end: 5 });
  });
});
