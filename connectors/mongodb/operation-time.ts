const SECONDS_MAX = 2 ** 31 - 1

/** The time of an operation: seconds since 1970 and a counter within the second. */
export interface OperationTime {
  readonly seconds: number
  readonly increment: number
}

/** Reads seconds since 1970, a moment in ISO 8601, or extended JSON of a timestamp; undefined for anything else. */
export function operationTime(text: string): OperationTime | undefined {
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) return timeOf(Number(trimmed), 0)
  if (trimmed.startsWith('{')) return timeOfJson(trimmed)
  if (!/^\d{4}-\d\d-\d\dT.*Z$/.test(trimmed)) return undefined
  return timeOf(Math.floor(Date.parse(trimmed) / 1000), 0)
}

function timeOfJson(text: string): OperationTime | undefined {
  try {
    const { $timestamp } = JSON.parse(text) as { $timestamp?: { t?: unknown; i?: unknown } }
    return timeOf(Number($timestamp?.t), Number($timestamp?.i))
  } catch {
    return undefined
  }
}

function timeOf(seconds: number, increment: number): OperationTime | undefined {
  const isInteger = Number.isInteger(seconds) && Number.isInteger(increment)
  return isInteger && seconds >= 0 && seconds <= SECONDS_MAX && increment >= 0 ? { seconds, increment } : undefined
}

/** Says what is wrong with a text, or undefined. */
export function operationTimeProblem(text: string): string | undefined {
  if (text === '' || operationTime(text) !== undefined) return undefined
  return 'is neither seconds since 1970 (30), nor a moment (1970-01-01T00:00:30Z), nor {"$timestamp": {"t": 30, "i": 0}}'
}
