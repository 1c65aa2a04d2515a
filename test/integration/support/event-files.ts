// Events of the acceptance suite as files of every format that a source of files reads.
import { schemas, struct } from '@millrace/sdk'
import type { TestEvent } from '@millrace/testkit'
import { avroFormat, parquetFormat, type WriteFormat } from '../../../connectors/_shared/formats/index.ts'

/** A file of these events; `evolved` ones have a field more. */
export type WriteEvents = (events: readonly TestEvent[], evolved: boolean) => string | Uint8Array

const plain = struct({ id: schemas.string, payload: schemas.string }, { name: 'Event' })
const evolvedSchema = struct({ id: schemas.string, payload: schemas.string, note: schemas.string }, { name: 'Event' })

const valueOf = ({ id, payload }: TestEvent, evolved: boolean): Record<string, string> =>
  evolved ? { id, payload, note: 'new' } : { id, payload }

const container =
  (format: WriteFormat): WriteEvents =>
  (events, evolved) => {
    const schema = evolved ? evolvedSchema : plain
    const writer = format.create(schema)
    for (const event of events) writer.add(schema, valueOf(event, evolved))
    return writer.finish()
  }

const lines =
  (line: (event: TestEvent, evolved: boolean) => string, head?: (evolved: boolean) => string): WriteEvents =>
  (events, evolved) =>
    [...(head ? [head(evolved)] : []), ...events.map((event) => line(event, evolved))]
      .map((text) => `${text}\n`)
      .join('')

export const csvFile = lines(
  (event, evolved) => Object.values(valueOf(event, evolved)).join(','),
  (evolved) => (evolved ? 'id,payload,note' : 'id,payload'),
)
export const jsonFile = lines((event, evolved) => JSON.stringify(valueOf(event, evolved)))
export const linesFile = lines(({ id, payload }) => `${id}${payload}`)
export const elfFile = lines(
  ({ id, payload }) => `${id}${payload}`,
  () => '#Fields: event',
)
/** Columns of 12 and 65536 characters. */
export const fixedWidthFile = lines(({ id, payload }) => `${id}${payload}`)
export const binaryFile: WriteEvents = (events) => events.map(({ id, payload }) => `${id}${payload}`).join('')
export const avroFile = container(avroFormat('null'))
export const parquetFile = container(parquetFormat('snappy'))
