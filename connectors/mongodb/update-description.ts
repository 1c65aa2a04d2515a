import { DataError } from '@millrace/sdk'
import { parseJson } from './extended-json.ts'
import { type Document, isDocument } from './documents.ts'

/**
 * The update that repeats the change of an update event without its whole document. Arrays that were cut are cut too; what
 * cannot be said in one update is an error and never left out.
 */
export function updateOf(description: unknown): Document {
  if (!isDocument(description)) throw new DataError('the update event has no updateDescription')
  const { updatedFields, removedFields, truncatedArrays, disambiguatedPaths } = description
  refuseAmbiguity(disambiguatedPaths)
  const update: Document = {}
  const set = typeof updatedFields === 'string' ? parseJson(updatedFields) : (updatedFields ?? {})
  if (!isDocument(set)) throw new DataError('updatedFields of the update event is no document')
  if (Object.keys(set).length > 0) update['$set'] = set
  const removed = listOf(removedFields, 'removedFields')
  if (removed.length > 0) update['$unset'] = Object.fromEntries(removed.map((name) => [nameOf(name), '']))
  const cuts = listOf(truncatedArrays, 'truncatedArrays').map(cutOf)
  for (const { field } of cuts) {
    const other = Object.keys(set).find((name) => name === field || name.startsWith(`${field}.`))
    if (other === undefined) continue
    throw new DataError(
      `the update event cuts the array ${field} and changes ${other}, which one update cannot repeat; ` +
        'let the source send whole documents (change.stream.full.document=updateLookup)',
    )
  }
  if (cuts.length > 0) {
    update['$push'] = Object.fromEntries(cuts.map(({ field, size }) => [field, { $each: [], $slice: size }]))
  }
  return update
}

/** A name with a dot in it would be read as a path, and another field be changed. */
function refuseAmbiguity(paths: unknown): void {
  const byField = typeof paths === 'string' ? parseJson(paths) : paths
  for (const parts of isDocument(byField) ? Object.values(byField) : []) {
    const name = (Array.isArray(parts) ? parts : []).find((part) => typeof part === 'string' && part.includes('.'))
    if (name === undefined) continue
    throw new DataError(
      `the update event changes a field whose name "${name}" has a dot, which an update cannot name; ` +
        'let the source send whole documents (change.stream.full.document=updateLookup)',
    )
  }
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw new DataError(`${name} of the update event is no array`)
}

function nameOf(name: unknown): string {
  if (typeof name === 'string') return name
  throw new DataError('removedFields of the update event has what is no name')
}

function cutOf(entry: unknown): { readonly field: string; readonly size: number } {
  const { field, newSize, size = newSize } = isDocument(entry) ? entry : {}
  const length = Number(size)
  if (typeof field === 'string' && Number.isInteger(length) && length >= 0) return { field, size: length }
  throw new DataError('an entry of truncatedArrays of the update event has no field and newSize')
}
