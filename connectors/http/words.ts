/** Reads `name: value, name: value`. Throws what is wrong with it. */
export function parsePairs(text: string, separator: string, mark: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const entry of text.split(separator)) {
    if (entry.trim() === '') continue
    const at = entry.indexOf(mark)
    const name = entry.slice(0, Math.max(at, 0)).trim()
    // The value may be a secret, so only the form is told.
    if (name === '') throw new TypeError(`an entry is not of the form name${mark}value`)
    pairs[name] = entry.slice(at + mark.length).trim()
  }
  return pairs
}

/** Reads `200..205, 207`. Throws what is wrong with it. */
export function parseRanges(text: string): (status: number) => boolean {
  const ranges = text
    .split(',')
    .filter((range) => range.trim() !== '')
    .map((range) => {
      const match = /^\s*(\d{3})(?:\.\.(\d{3}))?\s*$/.exec(range)
      if (match === null) throw new TypeError(`"${range.trim()}" is no range such as 200..299`)
      return [Number(match[1]), Number(match[2] ?? match[1])] as const
    })
  return (status) => ranges.some(([from, to]) => status >= from && status <= to)
}
