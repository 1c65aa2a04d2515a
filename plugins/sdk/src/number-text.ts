/**
 * Numbers as Java writes them: `100.0`, `1.0E21`, `1.0E-7`. Kafka Connect's JSON, strings and configurations hold
 * numbers in this form, so ours must too.
 */

/** A FLOAT64 as `Double.toString` of Java 19 and later: the shortest digits that give the same number back. */
export function doubleToString(value: number): string {
  const size = value < 0 ? -value : value
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value)
    return Number.isInteger(value) ? `${text}.0` : text
  }
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (!Number.isFinite(value)) return String(value)
  return scientific(value.toExponential())
}

/** A FLOAT32 as `Float.toString`: the shortest digits that give the same float back. */
export function floatToString(value: number): string {
  const float = Math.fround(value)
  if (!Number.isFinite(float) || float === 0) return doubleToString(float)
  return doubleToString(shortestFloat(float))
}

/** The double with the fewest decimal digits that rounds to the given float. */
export function shortestFloat(float: number): number {
  // Every decimal of six digits survives the way to a float and back, so fewer digits show as trailing zeros of the first try.
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(float.toPrecision(digits))
    if (Math.fround(candidate) === float) return candidate
  }
  return Number(float.toPrecision(9))
}

function scientific(exponential: string): string {
  const at = exponential.indexOf('e')
  const digits = exponential.slice(0, at)
  const exponent = exponential.slice(exponential[at + 1] === '+' ? at + 2 : at + 1)
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent}`
}
