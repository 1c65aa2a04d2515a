type Version = readonly [number, number, number]

/**
 * Whether a version is in a range of npm. Undefined for a range that is not understood. Versions before a release are
 * held against ranges by their numbers alone.
 */
export function satisfies(version: string, range: string): boolean | undefined {
  const wanted = parse(version)
  if (!wanted) return undefined
  const alternatives = range.split('||').map((alternative) => {
    const text = alternative.trim()
    const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text)
    const parts = hyphen ? [`>=${hyphen[1]}`, `<=${hyphen[2]}`] : text.replace(/([<>=~^])\s+/g, '$1').split(/\s+/)
    return parts.map((part) => fits(wanted, part))
  })
  if (alternatives.flat().includes(undefined)) return undefined
  return alternatives.some((parts) => parts.every(Boolean))
}

function fits(version: Version, part: string): boolean | undefined {
  const match = /^(\^|~|>=|<=|>|<|=|v)?\s*v?(\d+|[x*])?(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?(?:[-+][\w.+-]+)?$/.exec(part)
  if (!match) return undefined
  const [, operator = '', ...numbers] = match
  const known = numbers.filter((text) => text !== undefined && /^\d+$/.test(text)).map(Number)
  const [major = 0, minor = 0, patch = 0] = known
  const from: Version = [major, minor, patch]
  const next = after(from, known.length)
  switch (operator) {
    case '>=':
      return compare(version, from) >= 0
    case '>':
      return compare(version, known.length < 3 ? next : from) >= (known.length < 3 ? 0 : 1)
    case '<':
      return compare(version, from) < 0
    case '<=':
      return known.length < 3 ? compare(version, next) < 0 : compare(version, from) <= 0
    case '^': {
      // The first number that is not zero may not change.
      const digits = major > 0 ? 1 : minor > 0 ? 2 : 3
      return compare(version, from) >= 0 && compare(version, after(from, Math.min(digits, known.length))) < 0
    }
    case '~':
      return compare(version, from) >= 0 && compare(version, after(from, Math.min(2, known.length))) < 0
    default:
      return compare(version, from) >= 0 && compare(version, next) < 0
  }
}

/** The first version behind all that begin with so many of these numbers. */
function after([major, minor, patch]: Version, digits: number): Version {
  if (digits === 0) return [Number.POSITIVE_INFINITY, 0, 0]
  if (digits === 1) return [major + 1, 0, 0]
  return digits === 2 ? [major, minor + 1, 0] : [major, minor, patch + 1]
}

function parse(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
