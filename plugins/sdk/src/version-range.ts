/** A version as npm has it: what a plugin says of the SDK that it needs. Ranges of `*.plugin.version` are Maven's. */
interface Version {
  readonly numbers: readonly [number, number, number]
  readonly prerelease: readonly string[]
}

type Operator = '<' | '<=' | '>' | '>=' | '='

interface Comparator {
  readonly operator: Operator
  readonly version: Version
}

const NUMBER = String.raw`0|[1-9]\d*`
const IDENTIFIER = String.raw`(?:${NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)`
const TAIL = String.raw`(?:-(${IDENTIFIER}(?:\.${IDENTIFIER})*))?(?:\+[0-9A-Za-z.-]+)?`
const PART = String.raw`(${NUMBER}|[xX*])`
const VERSION = new RegExp(String.raw`^v?(${NUMBER})\.(${NUMBER})\.(${NUMBER})${TAIL}$`)
const PARTIAL = new RegExp(String.raw`^v?${PART}(?:\.${PART}(?:\.${PART}${TAIL})?)?$`)

/** What no version fits. */
const NOTHING: readonly Comparator[] = [{ operator: '<', version: { numbers: [0, 0, 0], prerelease: ['0'] } }]

/** True when the text is a version of npm's: three numbers, then what makes it a prerelease. */
export function isVersion(text: string): boolean {
  return VERSION.test(text)
}

/**
 * Whether a version lies in a range of npm's (`^1.2`, `>=1 <3`, `1.x || 2.x`, `1 - 2`); undefined for text that is no
 * version or no range. A prerelease lies only in ranges that name a prerelease of the same version.
 */
export function isInRange(version: string, range: string): boolean | undefined {
  const parsed = parseVersion(version)
  const alternatives = range.split('||').map(comparatorsOf)
  if (parsed === undefined || alternatives.includes(undefined)) return undefined
  return alternatives.some((comparators) => comparators !== undefined && fitsAll(parsed, comparators))
}

function fitsAll(version: Version, comparators: readonly Comparator[]): boolean {
  if (!comparators.every((comparator) => fits(version, comparator))) return false
  if (version.prerelease.length === 0) return true
  // A prerelease is wanted only by who names one of the same version.
  return comparators.some(
    (other) =>
      other.version.prerelease.length > 0 && other.version.numbers.every((part, i) => part === version.numbers[i]),
  )
}

function fits(version: Version, { operator, version: limit }: Comparator): boolean {
  const order = compare(version, limit)
  if (operator === '=') return order === 0
  if (order === 0) return operator.endsWith('=')
  return operator.startsWith('<') === order < 0
}

function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text.trim())
  if (!match) return undefined
  const [, major, minor, patch, prerelease = ''] = match
  const numbers = [Number(major), Number(minor), Number(patch)] as const
  return { numbers, prerelease: prerelease === '' ? [] : prerelease.split('.') }
}

function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const order = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0)
    if (order !== 0) return order
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length
  for (let i = 0; i < Math.max(a.prerelease.length, b.prerelease.length); i++) {
    const order = compareIdentifiers(a.prerelease[i], b.prerelease[i])
    if (order !== 0) return order
  }
  return 0
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return Number(a) - Number(b)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return a < b ? -1 : 1
}

function comparatorsOf(alternative: string): readonly Comparator[] | undefined {
  const text = alternative.trim()
  const [, low, high] = /^(\S+)\s+-\s+(\S+)$/.exec(text) ?? []
  if (low !== undefined && high !== undefined) return joined([expand('>=', low), expand('<=', high)])
  const words = text.replaceAll(/([<>=^~]+)\s+/g, '$1').split(/\s+/)
  return joined(
    words.map((word) => {
      const [, operator = '', partial = ''] = /^([<>=^~]*)(.*)$/.exec(word) ?? []
      return expand(operator, partial)
    }),
  )
}

function joined(parts: readonly (readonly Comparator[] | undefined)[]): readonly Comparator[] | undefined {
  return parts.includes(undefined) ? undefined : parts.flatMap((part) => part ?? [])
}

/** One word of a range as limits; parts that are left out or `x` stand for any number. */
function expand(operator: string, text: string): readonly Comparator[] | undefined {
  if (operator === '' && text === '') return []
  const match = PARTIAL.exec(text)
  if (!match) return undefined
  const given = [match[1], match[2], match[3]].map((part) => (part && /^\d+$/.test(part) ? Number(part) : undefined))
  const known = given.indexOf(undefined) === -1 ? 3 : given.indexOf(undefined)
  const [major = 0, minor = 0, patch = 0] = given.slice(0, known)
  const prerelease = known === 3 && match[4] ? match[4].split('.') : []
  const from: Version = { numbers: [major, minor, patch], prerelease }
  /** The first version behind all that begin with the first `parts` numbers of this one. */
  const behind = (parts: number): Version => ({
    numbers: parts === 1 ? [major + 1, 0, 0] : parts === 2 ? [major, minor + 1, 0] : [major, minor, patch + 1],
    prerelease: ['0'],
  })
  const between = (parts: number): readonly Comparator[] => [
    { operator: '>=', version: from },
    { operator: '<', version: behind(parts) },
  ]
  if (known === 0) return operator === '<' || operator === '>' ? NOTHING : []
  switch (operator) {
    case '^':
      return between(major > 0 || known === 1 ? 1 : minor > 0 || known === 2 ? 2 : 3)
    case '~':
    case '~>':
      return between(Math.min(known, 2))
    case '':
    case '=':
      return known === 3 ? [{ operator: '=', version: from }] : between(known)
    case '>':
      return [
        known === 3 ? { operator, version: from } : { operator: '>=', version: { ...behind(known), prerelease: [] } },
      ]
    case '<=':
      return [known === 3 ? { operator, version: from } : { operator: '<', version: behind(known) }]
    case '>=':
    case '<':
      return [{ operator, version: known === 3 ? from : { ...from, prerelease: operator === '<' ? ['0'] : [] } }]
    default:
      return undefined
  }
}
