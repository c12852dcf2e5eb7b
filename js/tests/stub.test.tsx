import { render } from "preact";
import { expect, it } from "vitest";

it("renders", () => {
  const el = document.createElement("div");
  render(<b>hi</b>, el);
  expect(el.innerHTML).toBe("<b>hi</b>");
});
