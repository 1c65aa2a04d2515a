import { compileRegex } from '@millrace/sdk'
import { expandReplacement } from './java-regex.ts'

const MAX_NAMES = 10_000

/**
 * Renames what a regular expression matches as a whole, as Java's `matches` and `replaceFirst` do; null for what it does
 * not match. Remembers the answers, as topics are few and records many.
 */
export function renamer(regex: string, replacement: string, remember = MAX_NAMES): (name: string) => string | null {
  const { source, flags } = compileRegex(regex)
  const whole = new RegExp(`(?<![^])(?:${source})(?![^])`, flags)
  const first = new RegExp(source, flags)
  const known = new Map<string, string | null>()
  return (name) => {
    const answer = known.get(name)
    if (answer !== undefined) return answer
    const renamed = whole.test(name)
      ? name.replace(first, (...match: unknown[]) => expandReplacement(replacement, match))
      : null
    if (known.size >= remember) known.clear()
    known.set(name, renamed)
    return renamed
  }
}
