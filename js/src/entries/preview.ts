import type { RenderProps } from "@anywidget/types";

function render({ el }: RenderProps): void {
  el.textContent = "preview";
}

export default { render };
