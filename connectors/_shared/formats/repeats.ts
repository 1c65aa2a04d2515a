/** How often a text comes at least, on average, for which a dictionary is worth it. */
const ROWS_PER_TEXT = 4
const DRAWS = 2048

/**
 * Whether texts come back often; not when all are null. Some thousand of them are drawn: where there were just so few
 * different ones as to be worth a dictionary, so many of the draws would differ. Always the same places, so that a file that
 * is made again is the same.
 */
export function repeats(values: readonly (string | null)[]): boolean {
  const { length } = values
  const distinct = new Set<string>()
  let drawn = 0
  for (let draw = 0, state = 1; draw < DRAWS; draw++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const value = values[Math.floor((state / 2 ** 32) * length)] ?? null
    if (value === null) continue
    drawn++
    distinct.add(value)
  }
  const most = length / ROWS_PER_TEXT
  return drawn > 0 && distinct.size <= most * (1 - Math.exp(-drawn / most))
}
