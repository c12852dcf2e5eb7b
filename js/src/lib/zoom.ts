/** How an image lies in the room that it has, and how that changes; lengths are CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

export type Point = readonly [x: number, y: number];

/** CSS pixels for each pixel of the image, and how far its centre is from the centre of the room. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

/** A small image is not blown up more than this to fit. */
const MOST_TO_FIT = 8;
const MOST = 32;

/** The view in which all of an image is seen. */
export function fit(size: Size, room: Size): View {
  const scale = Math.min(room.width / size.width, room.height / size.height, MOST_TO_FIT);
  return { scale: scale > 0 ? scale : 1, x: 0, y: 0 };
}

/** The same view, moved so that no edge of a larger image comes into the room, and a smaller one stays in the middle. */
export function clamp({ scale, x, y }: View, size: Size, room: Size): View {
  const bound = (at: number, length: number, space: number) => {
    const most = Math.max(0, (length * scale - space) / 2);
    return Math.min(most, Math.max(-most, at));
  };
  return { scale, x: bound(x, size.width, room.width), y: bound(y, size.height, room.height) };
}

/** The view with another scale; the point, counted from the centre of the room, shows the same as before. */
export function zoomTo(view: View, scale: number, [px, py]: Point, size: Size, room: Size): View {
  const least = Math.min(1, fit(size, room).scale);
  const next = Math.min(Math.max(scale, least), MOST);
  const ratio = next / view.scale;
  return clamp({ scale: next, x: px - (px - view.x) * ratio, y: py - (py - view.y) * ratio }, size, room);
}
