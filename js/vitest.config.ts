import { defineConfig } from "vitest/config";

/** Without a browser: pure functions and components in happy-dom. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    exclude: ["tests/**/*.browser.test.{ts,tsx}"],
  },
});
