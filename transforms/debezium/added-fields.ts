import { ConfigError, DataError, type Schema, withOptions } from '@millrace/sdk'
import { isMembers, type Members } from '../data.ts'

/** What `add.fields` and `add.headers` name: a field of the envelope or of a struct in it. */
export interface FieldReference {
  /** The struct that holds it; null for the envelope itself. */
  readonly struct: string | null
  readonly field: string
  /** The name that it gets. */
  readonly name: string
}

/** A reference that was found in an envelope. */
export interface AddedField {
  readonly name: string
  readonly schema: Schema
  /** The member of the envelope to take it from, and the field of that member; null for the member itself. */
  readonly from: string
  readonly field: string | null
}

const TRANSACTION = ['id', 'data_collection_order', 'total_order']
const ENVELOPE = ['op', 'ts_ms', 'ts_us', 'ts_ns']

/** Reads `op`, `source.ts_ms` or `table:new_name`. A plain name is one of the envelope, the transaction or else the source. */
export function parseReference(entry: string, prefix: string, key: string): FieldReference {
  const [path = '', renamed, ...more] = splitLikeJava(entry, ':')
  const [first, second] = splitLikeJava(path, '.')
  if (first === undefined || more.length > 0)
    throw new ConfigError(`Unexpected field name in ${key}: ${entry}`, { key })
  const field = second ?? first
  const struct = second === undefined ? structOf(first) : first
  return { struct, field, name: prefix + (renamed ?? (second === undefined ? field : `${first}_${field}`)) }
}

/** As Java splits: empty parts at the end do not count. */
function splitLikeJava(text: string, separator: string): string[] {
  const parts = text.split(separator)
  while (parts.length > 1 && parts.at(-1) === '') parts.pop()
  return text !== '' && parts.every((part) => part === '') ? [] : parts
}

function structOf(field: string): string | null {
  if (TRANSACTION.includes(field)) return 'transaction'
  if (ENVELOPE.includes(field)) return null
  return field === 'updateDescription' ? field : 'source'
}

/** Finds the fields in an envelope; those that are neither in their struct nor in the envelope are left out. */
export function resolveReferences(references: readonly FieldReference[], envelope: Schema): AddedField[] {
  return references.flatMap(({ struct, field, name }): AddedField[] => {
    const parent = struct === null ? envelope : envelope.field(struct)?.schema
    if (parent?.type !== 'STRUCT') throw new DataError(`The change event has no struct ${struct} to take ${field} from`)
    const inParent = parent.field(field)
    const found = inParent ?? envelope.field(field)
    if (!found) return []
    const schema = withOptions(found.schema, { optional: true, default: undefined })
    const nested = inParent !== undefined && struct !== null
    return [{ name, schema, from: nested ? struct : field, field: nested ? field : null }]
  })
}

/** The value of a field; null where its struct is null, as the transaction of a snapshot is. */
export function addedValue({ from, field }: AddedField, envelope: Members): unknown {
  const member = envelope[from] ?? null
  if (field === null) return member
  return isMembers(member) ? (member[field] ?? null) : null
}
