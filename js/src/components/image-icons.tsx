/** Icons of what can be done with images. */
import { Icon, line } from "./icons";

export const Star = /* @__PURE__ */ line("M8 2.2l1.8 3.7 4 .5-2.9 2.8.7 4L8 11.3l-3.6 1.9.7-4L2.2 6.4l4-.5z");

export const Check = /* @__PURE__ */ line("M3.5 8.5l3 3 6-7");

export const Copy = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 3.2V3a1 1 0 0 0-1-1H3.5a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h.3" />
  </Icon>
);

export const Input = /* @__PURE__ */ line(
  "M9 2.5h3.5a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H9M2.5 8h7M6.8 5.2L9.6 8l-2.8 2.8",
);

export const Nodes = () => (
  <Icon>
    <rect x="1.8" y="2.8" width="4.4" height="4" rx="1" />
    <rect x="9.8" y="9.2" width="4.4" height="4" rx="1" />
    <path d="M6.2 4.8H8v6.4h1.8" />
  </Icon>
);

export const Halves = () => (
  <Icon>
    <rect x="2" y="3" width="12" height="10" rx="1.5" />
    <path d="M8 1.5v13" />
  </Icon>
);

export const Info = () => (
  <Icon>
    <circle cx="8" cy="8" r="6" />
    <path d="M8 7.4v3.8M8 4.9h.01" />
  </Icon>
);

export const Whole = /* @__PURE__ */ line("M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3");
