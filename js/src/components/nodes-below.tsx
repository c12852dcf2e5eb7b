import { Component } from "preact";
import type * as nodes from "../features/nodes";
import type { LoadFeature } from "../lib/features";
import type { Link } from "../lib/link";
import { FeatureContext } from "./feature-context";

interface State {
  isOpen: boolean;
  feature: typeof nodes | null;
}

/** The nodes of a job under its bar, for who wants to see them. */
export class NodesBelow extends Component<{ link: Link }, State> {
  static override contextType = FeatureContext;
  declare context: LoadFeature;
  override state: State = { isOpen: false, feature: null };

  #toggle = (isOpen: boolean): void => {
    this.setState({ isOpen });
    if (isOpen)
      this.context("nodes").then(
        (feature) => this.setState({ feature }),
        () => undefined,
      );
  };

  override render({ link }: { link: Link }, { isOpen, feature }: State) {
    return (
      <details class="nodes-below" onToggle={(event) => this.#toggle(event.currentTarget.open)}>
        <summary>Nodes</summary>
        {isOpen && feature && <feature.NodeViews link={link} timeline />}
      </details>
    );
  }
}
