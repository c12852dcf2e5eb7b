import type { Pictures } from "../lib/pictures";
import type { LessonState } from "../lib/teaching";
import { Ask } from "./lesson-ask";
import { Given, Picture } from "./lesson-parts";

export interface LessonActions {
  onAnswer: (answer: number | readonly number[]) => void;
  onReveal: () => void;
  onAgain: () => void;
}

interface Props extends LessonActions {
  state: LessonState;
  pictures: Pictures;
}

/** The card of a lesson: what it is about, the question, and then prediction and outcome side by side. */
export function Lesson({ state, pictures, ...actions }: Props) {
  const { title, notes, question, shown, phase, problem } = state;
  return (
    <section class="teach lesson" aria-label={title || question} data-phase={phase}>
      {title !== "" && <h2>{title}</h2>}
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      <h3 class="question">{question}</h3>
      {shown.length > 0 && (
        <div class="pair">
          {shown.map(({ label, picture }) => (
            <Picture key={label} blob={pictures.get(picture)} name={label} />
          ))}
        </div>
      )}
      {phase === "predict" && <Ask state={state} pictures={pictures} onAnswer={actions.onAnswer} />}
      {phase === "try" && <Try state={state} pictures={pictures} {...actions} />}
      {phase === "answered" && <Outcome state={state} pictures={pictures} {...actions} />}
      {problem !== "" && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function Try({ state, pictures, onReveal, onAgain }: Props) {
  return (
    <div class="tried">
      <p role="status">
        Your prediction: <Given state={state} answer={state.answer} pictures={pictures} isInline />.{" "}
        {state.action === "run" ? "Now press Run, and see." : "Now try it below, and then look."}
      </p>
      <div class="row">
        {state.action !== "run" && (
          <button type="button" class="button primary" onClick={onReveal}>
            Show the answer
          </button>
        )}
        <button type="button" class="button small" onClick={onAgain}>
          Predict something else
        </button>
      </div>
    </div>
  );
}

function Outcome({ state, pictures, onAgain }: Props) {
  const { correct, verdict, reason, results } = state;
  return (
    <div class="outcomes" role="status">
      <div class="pair">
        <div class="side">
          <h4>You predicted</h4>
          <Given state={state} answer={state.answer} pictures={pictures} />
        </div>
        <div class="side">
          <h4>It is</h4>
          <Given state={state} answer={state.right} pictures={pictures} />
          {results.length > 0 && (
            <div class="results">
              {results.map((name) => (
                <Picture key={name} blob={pictures.get(name)} name="What came out" />
              ))}
            </div>
          )}
        </div>
      </div>
      <p class="verdict" data-correct={correct === true}>
        <span aria-hidden="true">{correct === true ? "✓" : "→"}</span> {verdict}
      </p>
      {reason !== "" && <p class="note">{reason}</p>}
      <div class="row">
        <button type="button" class="button small" onClick={onAgain}>
          Once more
        </button>
        <span class="quiet">
          Your answer stays in this notebook. Nothing is sent anywhere; it is no exam.
        </span>
      </div>
    </div>
  );
}
