import { isDecimal } from '@millrace/sdk'

/** Any data as text, equal for equal data: to see whether something changed. */
export function snapshot(value: unknown): string {
  return JSON.stringify(plain(value, 0))
}

const MAX_DEPTH = 30

function plain(value: unknown, depth: number): unknown {
  if (value === undefined) return { is: 'undefined' }
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { number: numberText(value) }
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'a function' : value
  if (depth > MAX_DEPTH) return 'deep'
  if (value instanceof Date) return { date: value.getTime() }
  if (isDecimal(value)) return { decimal: `${value.unscaled}e-${value.scale}` }
  if (ArrayBuffer.isView(value)) {
    return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') }
  }
  if (value instanceof Map) return { map: [...value].map((entry) => plain(entry, depth + 1)) }
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1))
  return Object.entries(value).map(([name, each]) => [name, plain(each, depth + 1)])
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
