import type { RenderProps } from "@anywidget/types";

function render({ el }: RenderProps): void {
  el.textContent = "progress";
}

export default { render };
