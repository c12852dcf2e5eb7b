import type { JSX } from "preact";

/** One 16-pixel grid and one stroke for all icons; they take the colour of the text. */
export function Icon({ children }: { children: JSX.Element | JSX.Element[] }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" class="icon">
      {children}
    </svg>
  );
}

/** An icon of one path. */
export const line = (d: string) => () => (
  <Icon>
    <path d={d} />
  </Icon>
);

export const Chevron = /* @__PURE__ */ line("M6 4l4 4-4 4");

export const ChevronDown = /* @__PURE__ */ line("M4 6l4 4 4-4");

export const Minus = /* @__PURE__ */ line("M4.5 8h7");

export const Plus = /* @__PURE__ */ line("M8 4.5v7M4.5 8h7");

export const Dice = () => (
  <Icon>
    <rect x="2.5" y="2.5" width="11" height="11" rx="2.5" />
    <path class="dots" d="M5.6 5.6h.01M10.4 5.6h.01M8 8h.01M5.6 10.4h.01M10.4 10.4h.01" />
  </Icon>
);

export const Alert = () => (
  <Icon>
    <circle cx="8" cy="8" r="6" />
    <path d="M8 4.8v3.6M8 11h.01" />
  </Icon>
);

export const Close = /* @__PURE__ */ line("M4 4l8 8M12 4l-8 8");

export const Download = /* @__PURE__ */ line("M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.5h10");

export const ImageIcon = () => (
  <Icon>
    <rect x="2" y="2.5" width="12" height="11" rx="2" />
    <circle cx="5.6" cy="6" r="1.1" />
    <path d="M2.5 12l3.6-3.4 2.3 2 2.3-2.4 2.9 2.9" />
  </Icon>
);
