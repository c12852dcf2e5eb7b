import type { RenderProps } from "@anywidget/types";

function render({ el }: RenderProps): void {
  el.textContent = "grid";
}

export default { render };
