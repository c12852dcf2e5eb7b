import type { RunError } from "../lib/wire";
import { Alert } from "./icons";

/** What went wrong, in words; the server's own text is one click away. */
export function ErrorNotice({ error }: { error: RunError }) {
  return (
    <div class="notice error" role="alert">
      <Alert />
      <div class="words">
        <strong>{error.title}</strong>
        <p>{error.message}</p>
        {error.details !== "" && (
          <details>
            <summary>Details</summary>
            <pre>{error.details}</pre>
          </details>
        )}
      </div>
    </div>
  );
}

export function Warnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <div class="notice warning" role="status">
      <Alert />
      <div class="words">
        {warnings.map((warning) => (
          <p key={warning}>{warning}</p>
        ))}
      </div>
    </div>
  );
}
