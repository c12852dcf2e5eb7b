/** A number with what it counts: ``"1 image"``, ``"2 images"``. */
export const numberOf = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
