import type { SourceRecord } from '@millrace/sdk'
import { eventIdsIn } from './event.ts'

/** The id of the event that a record carries; undefined for one that carries none, such as a heartbeat. */
export function eventIdOf({ key, value, headers }: SourceRecord): string | undefined {
  return eventIdsIn([value, key, headers.map((header) => header.value)])[0]
}

/** The identity of a record that no event is behind. */
export function identityOf({ topic, key, value }: SourceRecord): string {
  return JSON.stringify([topic, key, value], (_, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`
    return inner instanceof Map ? [...inner] : inner
  })
}
