/** Bundle every widget, and write the modules into the Python package unless told not to. */
export function bundle(options?: { write?: boolean }): Promise<{ name: string; text: string }[]>;
