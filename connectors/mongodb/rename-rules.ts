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

/**
 * A replacement in Java's notation as JavaScript reads it: `$1`, `${name}`, a backslash before what is meant literally. Throws
 * ConfigError for a group that the pattern does not have.
 */
export function jsReplacement(replacement: string, pattern: RegExp): string {
  const match = new RegExp(`${pattern.source}|`, pattern.flags.replace('g', '')).exec('')!
  const hasGroup = (digits: string): boolean => Number(digits[0]) < match.length
  return replacement.replace(/\\([^])|\$\{(\w+)\}|\$(\d+)|[$\\]/g, (whole, literal, name, digits) => {
    if (literal !== undefined) return String(literal).replace('$', '$$$$')
    if (name !== undefined && Object.hasOwn(match.groups ?? {}, String(name))) return `$<${name}>`
    if (digits !== undefined && hasGroup(String(digits))) return digits === '0' ? '$&' : whole
    const key = 'field.renamer.regexp'
    throw new ConfigError(`${key}: the pattern has no group ${whole} of the replacement ${replacement}`, { key })
  })
}
