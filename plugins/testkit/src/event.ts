/** One thing that happened in the system that a source reads, or one record for a sink. */
export interface TestEvent {
  /** Unique in a run, for example `event-000007`. It must be found in the record, or in what the sink wrote. */
  readonly id: string
  /** Several events share a key, for systems that have keys. */
  readonly key: string
  /** The place of the event in the run, from 0. */
  readonly number: number
  /** Text to make the event larger; empty but for checks of back-pressure. Carry it where the system can. */
  readonly payload: string
}

const KEYS = 3

/** Events from `first` on. */
export function makeEvents(first: number, count: number, payloadBytes = 0): readonly TestEvent[] {
  const payload = 'x'.repeat(payloadBytes)
  return Array.from({ length: count }, (_, index) => {
    const number = first + index
    return { id: `event-${String(number).padStart(6, '0')}`, key: `key-${number % KEYS}`, number, payload }
  })
}

/** Data is looked into so deep; deeper data has no ids of ours. */
const MAX_DEPTH = 20

/** The ids of events in any data: text, bytes, objects, lists and maps. */
export function eventIdsIn(value: unknown, depth = 0): readonly string[] {
  if (typeof value === 'string') return value.match(/event-\d{6}/g) ?? []
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return []
  if (ArrayBuffer.isView(value)) {
    return eventIdsIn(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
  }
  const inner = value instanceof Map ? [...value].flat() : Array.isArray(value) ? value : Object.values(value)
  return inner.flatMap((each) => eventIdsIn(each, depth + 1))
}
