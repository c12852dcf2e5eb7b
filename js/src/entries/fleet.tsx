import { Fleet } from "../components/fleet";
import { listen, type Model, send } from "../host/model";
import { mount } from "../host/mount";
import type { LoadFeature } from "../lib/features";
import { NO_FLEET } from "../lib/fleet";
import type { FleetState } from "../lib/schema";
import base from "../style/base.css?inline";
import fleetCss from "../style/fleet.css?inline";

interface ViewProps {
  el: HTMLElement;
  signal?: AbortSignal;
}

/** The servers of a fleet. */
export default (loadFeature: LoadFeature) => {
  const ending = new AbortController();
  let model: Model;

  return {
    initialize(props: { model: Model }): () => void {
      model = props.model;
      return () => ending.abort();
    },

    render({ el, signal }: ViewProps): () => void {
      const view = mount(el, base + fleetCss, loadFeature, signal);
      const draw = () =>
        view.show(
          <Fleet
            state={(model.get("_fleet") as FleetState | undefined) ?? NO_FLEET}
            onAct={(act, server) => send(model, { kind: "fleet", act, server })}
          />,
        );
      listen(model, "change:_fleet", AbortSignal.any([ending.signal, view.ended]), draw);
      draw();
      return () => view.dispose();
    },
  };
};
