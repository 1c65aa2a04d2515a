import { DataError, type Schema, type SinkRecord } from '@millrace/sdk'

const ID_TYPES: ReadonlySet<string> = new Set(['INT8', 'INT16', 'INT32', 'INT64', 'STRING'])

/** The id of a document from the key of its record. Throws DataError for keys that are no id. */
export function idOfKey({ key, keySchema }: SinkRecord): string {
  if (key === null || key === undefined || key === '') {
    throw new DataError('the key is empty, so the document has no id; send keys, or set key.ignore=true')
  }
  const isId = keySchema === null ? isPlainId(key) : isIdSchema(keySchema)
  if (isId) return String(key as string | number | bigint)
  throw new DataError(
    `a key of type ${keySchema?.type ?? typeof key} is no document id, which is text or a whole number; take a field of ` +
      'it with the transformation ExtractField$Key, or set key.ignore=true',
  )
}

/** The id of a document without a key: by the place of its record in the log, so that it is the same each time. */
export function idOfPlace({ originalTopic, originalPartition, originalOffset }: SinkRecord): string {
  return `${originalTopic}+${originalPartition}+${originalOffset}`
}

function isIdSchema({ type, name }: Schema): boolean {
  // A date is a whole number in disguise, and its text is no id that anybody would look for.
  return ID_TYPES.has(type) && (name === undefined || !name.startsWith('org.apache.kafka.connect.data.'))
}

function isPlainId(key: unknown): boolean {
  return typeof key === 'string' || typeof key === 'bigint' || Number.isSafeInteger(key)
}
