import { Lesson } from "../components/lesson";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { type Pictures, takePictures } from "../lib/pictures";
import type { LessonState } from "../lib/teaching";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import lessonCss from "../style/lesson.css?inline";
import teachCss from "../style/teach.css?inline";

/** The card of a lesson. */
export default (loadFeature: LoadFeature) => {
  let pictures: Pictures = new Map();
  let isLive = false;
  const hiding = new WeakSet<HTMLElement>();
  return shared(
    base + controlsCss + teachCss + lessonCss,
    loadFeature,
    (message, buffers) => {
      pictures = takePictures(pictures, message, buffers);
      isLive = true;
    },
    (model, view) => {
      const tell = (name: string, value: unknown) => send(model, { kind: "changed", name, value });
      view.show(
        <Lesson
          state={model.get("_state") as LessonState}
          pictures={pictures}
          onAnswer={(answer) => tell("answer", answer)}
          onReveal={() => tell("reveal", null)}
          onAgain={() => tell("again", null)}
        />,
      );
      if (!isLive || hiding.has(view.host)) return;
      hiding.add(view.host);
      // Python has spoken, so the widget is live and the record beside it is double.
      loadFeature("record").then(
        ({ hideRecord }) => hideRecord(view.host, view.ended),
        () => undefined,
      );
    },
    "_state",
  );
};
