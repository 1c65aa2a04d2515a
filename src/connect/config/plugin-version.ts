/**
 * True when a version lies in a range as `connector.plugin.version` takes it (KIP-891): `1.2` alone means exactly that,
 * `[1.0,2.0)` and `(,1.5]` are intervals, several may be joined by commas, `latest` and nothing mean any. Undefined for text
 * that is no range.
 */
export function versionInRange(version: string, range: string): boolean | undefined {
  const text = range.trim()
  if (text === '' || text === 'latest') return true
  if (/^[\w.+-]+$/.test(text)) return compareVersions(version, text) === 0
  const intervals = [...text.matchAll(/([[(])\s*([\w.+-]*)\s*(,?)\s*([\w.+-]*)\s*([\])])\s*,?/gy)]
  if (intervals.map((match) => match[0]).join('') !== text || intervals.length === 0) return undefined
  return intervals.some((match) => {
    const [, open, low = '', comma, high = '', close] = match
    if (comma === '') return compareVersions(version, low) === 0
    const above = low === '' ? 1 : compareVersions(version, low)
    const below = high === '' ? -1 : compareVersions(version, high)
    return (open === '[' ? above >= 0 : above > 0) && (close === ']' ? below <= 0 : below < 0)
  })
}

/** The order of versions: numbers by their size, and what is before a release (`1.0.0-rc.1`) before it. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(/[.+-]/)
  const right = b.split(/[.+-]/)
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const one = Number(left[i] ?? 0)
    const other = Number(right[i] ?? 0)
    if (one !== other && !Number.isNaN(one) && !Number.isNaN(other)) return one - other
    if (Number.isNaN(one) !== Number.isNaN(other)) return Number.isNaN(one) ? -1 : 1
    if (Number.isNaN(one) && left[i] !== right[i]) return (left[i] ?? '') < (right[i] ?? '') ? -1 : 1
  }
  return 0
}

/** Kafka's words for a range that no version lies in. */
export function noVersionInRange(name: string, range: string, versions: readonly string[]): string {
  const text = /^[[(]/.test(range) ? range : `[${range},${range}]`
  return `Plugin ${name} not found that matches the version range ${text}, available versions: [${versions.join(', ')}]`
}
