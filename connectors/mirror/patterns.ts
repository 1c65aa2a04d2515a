import { fullMatch } from '@millrace/sdk'

/** Tells whether a name matches one of a list of names and regular expressions; an empty list matches nothing. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  return patterns.length === 0 ? () => false : fullMatch(patterns.join('|'))
}

/** What is wrong with a list of patterns, for the definition of a key. */
export function patternsProblem(patterns: readonly string[]): string | undefined {
  try {
    matcher(patterns)
    return undefined
  } catch (error) {
    return `is no regular expression: ${(error as Error).message}`
  }
}
