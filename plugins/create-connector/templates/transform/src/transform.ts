import { createHash } from 'node:crypto'
import {
  type ConnectRecord,
  DataError,
  defineTransformation,
  type Parsed,
  type Transform,
  withChanges,
} from '@millrace/sdk'
import { config } from './config.ts'

/** Replaces fields of the value by the SHA-256 of their text, so that they can be joined on and not read. */
function createTransform({ fields, salt }: Parsed<typeof config>): Transform {
  const hash = (field: string, value: unknown): unknown => {
    if (value === null || value === undefined) return value
    // The field of a schema is a string and must stay one.
    if (typeof value !== 'string') throw new DataError(`${field} must be text to be hashed, not ${typeof value}`)
    return createHash('sha256').update(salt).update(value).digest('hex')
  }
  return {
    apply<R extends ConnectRecord>(record: R): R {
      const { value } = record
      if (value === null) return record
      if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) {
        throw new DataError(
          `the value must be a struct or an object, not ${Array.isArray(value) ? 'a list' : typeof value}`,
        )
      }
      const before = value as Readonly<Record<string, unknown>>
      const present = fields.filter((field) => field in before)
      // Records are immutable: what is not changed is shared.
      if (present.length === 0) return record
      const changes = Object.fromEntries(present.map((field) => [field, hash(field, before[field])]))
      return withChanges(record, { value: { ...before, ...changes } })
    },
  }
}

export default defineTransformation({
  name: 'Starling',
  version: '0.1.0',
  doc: 'Replaces fields of the value by their SHA-256.',
  config,
  create: createTransform,
})
