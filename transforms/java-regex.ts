import { compileRegex, DataError } from '@millrace/sdk'

/** Says what is wrong with a Java regular expression. */
export function checkRegex(pattern: string): string | undefined {
  try {
    compileRegex(pattern)
    return undefined
  } catch (error) {
    return `Invalid regex: ${(error as Error).message}`
  }
}

/** Puts the groups of a match into a replacement in Java's notation: `$1`, `${name}`, a backslash before what is meant literally. */
export function expandReplacement(replacement: string, match: readonly unknown[]): string {
  const last = match.at(-1)
  const named = (typeof last === 'object' ? last : {}) as Readonly<Record<string, string | undefined>>
  const offset = match.findIndex((part, index) => index > 0 && typeof part === 'number')
  const groups = match.slice(0, offset) as readonly (string | undefined)[]
  return replacement.replace(/\\([^])|\$\{(\w+)\}|\$(\d+)|\$/g, (whole, literal, name, digits) => {
    if (literal !== undefined) return String(literal)
    if (name !== undefined) {
      if (!Object.hasOwn(named, String(name))) throw new DataError(`No group with name {${name}}`)
      return named[String(name)] ?? ''
    }
    if (digits === undefined) throw new DataError(`Illegal group reference in the replacement ${replacement}`)
    return groupOf(groups, String(digits), whole)
  })
}

/** As Java: as many digits as make a group that exists, the rest is text. */
function groupOf(groups: readonly (string | undefined)[], digits: string, whole: string): string {
  for (let length = digits.length; length > 0; length--) {
    const index = Number(digits.slice(0, length))
    if (index < groups.length) return (groups[index] ?? '') + digits.slice(length)
  }
  throw new DataError(`No group ${whole} in the regular expression`)
}
