import { Schedule } from "../components/schedule";
import { send } from "../host/model";
import { shared } from "../host/shared";
import type { LoadFeature } from "../lib/features";
import { later } from "../lib/later";
import type { ScheduleState } from "../lib/teaching";
import base from "../style/base.css?inline";
import controlsCss from "../style/controls.css?inline";
import scheduleCss from "../style/schedule.css?inline";
import teachCss from "../style/teach.css?inline";

/** The noise levels of a run, to be dragged. */
export default (loadFeature: LoadFeature) => {
  let tell: ((change: { name: string; value: unknown }) => void) | undefined;
  return shared(
    base + controlsCss + teachCss + scheduleCss,
    loadFeature,
    () => undefined,
    (model, view) => {
      tell ??= later(80, (change) => send(model, { kind: "changed", ...change }));
      const say = tell;
      view.show(
        <Schedule
          state={model.get("_state") as ScheduleState}
          onLevels={(value) => say({ name: "levels", value })}
          onSteps={(value) => say({ name: "steps", value })}
        />,
      );
    },
    "_state",
  );
};
