import { Component, createRef } from "preact";

interface Props {
  blob: Blob;
  alt: string;
}

/**
 * An image of a blob, with a URL for as long as it is shown.
 *
 * A class, like the grid around it: hooks alone would take an eighth of the 20 kB that a small widget may have.
 */
export class BlobImage extends Component<Props> {
  #image = createRef<HTMLImageElement>();
  #url = "";

  override componentDidMount(): void {
    this.#load();
  }

  override componentDidUpdate(before: Props): void {
    if (before.blob !== this.props.blob) this.#load();
  }

  override componentWillUnmount(): void {
    URL.revokeObjectURL(this.#url);
  }

  #load(): void {
    const old = this.#url;
    this.#url = URL.createObjectURL(this.props.blob);
    if (this.#image.current) this.#image.current.src = this.#url;
    URL.revokeObjectURL(old);
  }

  override render() {
    return <img ref={this.#image} alt={this.props.alt} decoding="async" />;
  }
}
