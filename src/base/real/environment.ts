/** The environment of this process. */
export const realEnvironment: Readonly<Record<string, string | undefined>> = process.env
