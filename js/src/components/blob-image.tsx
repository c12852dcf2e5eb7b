import { Component, createRef } from "preact";

interface Props {
  blob: Blob;
  alt: string;
}

interface State {
  /** The film or sound that this browser cannot play. */
  broken: Blob;
}

/**
 * An image of a blob, or a player of its film or sound, with a URL for as long as it is shown.
 *
 * A class, like the grid around it: the small widgets do without the code of hooks.
 */
export class BlobImage extends Component<Props, State> {
  #image = createRef<HTMLImageElement & HTMLVideoElement>();
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

  #fail = (): void => this.setState({ broken: this.props.blob });

  override render() {
    const { alt, blob } = this.props;
    if (isImage(blob)) return <img ref={this.#image} alt={alt} decoding="async" />;
    if (this.state.broken === blob) return <p>This browser cannot play {alt}.</p>;
    const Player = blob.type.startsWith("audio") ? "audio" : "video";
    // What a workflow made comes without captions.
    return <Player ref={this.#image} aria-label={alt} controls onError={this.#fail} />;
  }
}

export const isImage = (blob: Blob): boolean => blob.type.startsWith("image");
