/** Build everything that is shipped, in memory. */
export function bundle(): Promise<{ name: string; text: string }[]>;
