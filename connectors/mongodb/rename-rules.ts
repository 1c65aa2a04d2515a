import { ConfigError } from '@millrace/sdk'

/** The entries of a JSON array of flat objects. Throws ConfigError. */
export function entriesOf(
  text: string,
  key: string,
  names: readonly string[],
): readonly Readonly<Record<string, string>>[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text === '' ? '[]' : text)
  } catch (error) {
    throw new ConfigError(`${key} is no JSON: ${(error as Error).message}`, { key, cause: error })
  }
  const isEntry = (entry: unknown): boolean =>
    typeof entry === 'object' &&
    entry !== null &&
    names.every((name) => typeof (entry as Record<string, unknown>)[name] === 'string')
  if (Array.isArray(parsed) && parsed.every(isEntry)) return parsed as Record<string, string>[]
  throw new ConfigError(`${key} has to be a JSON array of objects with ${names.join(', ')}`, { key })
}
