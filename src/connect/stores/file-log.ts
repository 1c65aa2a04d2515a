import type { Clock, Disk } from '../../base/index.ts'
import type { CompactedLog, LogRecord } from './compacted-log.ts'

/**
 * The offsets of a standalone worker: one JSON object in a file, key to value, both text. Each write replaces the file
 * so that a crash leaves the old or the new content, never half of one (invariant 9).
 */
export function createFileLog(options: { path: string; disk: Disk; clock: Clock }): CompactedLog {
  const { path, disk, clock } = options
  const entries = new Map<string, string | null>()
  let listener: (records: readonly LogRecord[]) => void = () => {}
  let nextOffset = 0
  const deliver = (key: string, value: Buffer | null): LogRecord => ({
    key,
    value,
    partition: 0,
    offset: nextOffset++,
    timestampMs: clock.now(),
  })
  return {
    start(onRecords) {
      listener = onRecords
      if (disk.exists(path)) for (const [key, value] of readEntries(path, disk)) entries.set(key, value)
      const records: LogRecord[] = []
      for (const [key, value] of entries) if (value !== null) records.push(deliver(key, Buffer.from(value)))
      listener(records)
      return Promise.resolve()
    },
    append(records) {
      for (const { key, value } of records) {
        if (value === null) entries.delete(key)
        else entries.set(key, value.toString('utf8'))
      }
      disk.replaceFile(path, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`)
      listener(records.map((record) => deliver(record.key, record.value)))
      return Promise.resolve()
    },
    readToEnd: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
}

function readEntries(path: string, disk: Disk): [string, string][] {
  const text = disk.readFile(path).toString('utf8')
  if (text.trim() === '') return []
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new OffsetFileError(
      `the offset file ${path} is not JSON (Kafka's own standalone offset file is a Java object stream and cannot be ` +
        'read here); name another file in offset.storage.file.filename',
      { cause: error },
    )
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OffsetFileError(`the offset file ${path} does not hold a JSON object; name another file`)
  }
  return Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}

/** The offset file of a standalone worker cannot be used. */
export class OffsetFileError extends Error {
  override name = 'OffsetFileError'
  readonly code = 'OFFSET_FILE'
}
