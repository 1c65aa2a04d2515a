// Events of the acceptance suite as files of every format that a source of files reads.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PluginManifest, type RawConfig, schemas, struct } from '@millrace/sdk'
import type { TestEvent } from '@millrace/testkit'
import { avroFormat, parquetFormat, type WriteFormat } from '../../../connectors/_shared/formats/index.ts'

/** A file of these events; `evolved` ones have a field more. */
export type WriteEvents = (events: readonly TestEvent[], evolved: boolean) => string | Uint8Array

/** A source of files, and how it is run through the suite. */
export interface FileReader {
  readonly source: unknown
  readonly manifest: PluginManifest
  /** Its module, below `connectors/spooldir`. */
  readonly module: string
  readonly write: WriteEvents
  readonly config?: RawConfig
  /** Why data of another shape cannot come; undefined where files have their shape with them. */
  readonly shapeless?: string
  readonly isFileRecord?: boolean
}

export const generated = { 'schema.generation.enabled': 'true' }
export const shapeless = 'its records have no shape'

/** What the configurations of all readers have in common. */
export const READS = {
  'input.file.pattern': '.*\\.data',
  'empty.poll.wait.ms': '5',
  'batch.size': '2',
  // Those who end in the middle leave their leases behind.
  'lease.timeout.ms': '1000',
}

/** How events come to a reader: as files that are written in a folder and then moved into its `in`, so that they are whole. */
export function eventsIn(folder: string, { write, shapeless: why, isFileRecord }: FileReader) {
  let [files, evolved] = [0, false]
  const add = async (events: readonly TestEvent[]): Promise<void> => {
    const name = `${String(files++).padStart(5, '0')}.data`
    await writeFile(join(folder, name), write(events, evolved))
    await rename(join(folder, name), join(folder, 'in', name))
  }
  const evolve = (): void => {
    evolved = true
  }
  return {
    async produce(events: readonly TestEvent[]) {
      if (isFileRecord) for (const event of events) await add([event])
      else await add(events)
    },
    ...(why === undefined ? { evolve } : {}),
  }
}

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
