import { ConnectError } from '@millrace/sdk'
import { dataFault, type Failure, fatal, retriable } from '../_shared/retry/index.ts'
import { reasonOf } from './failures.ts'

/** What a version conflict says of a write. */
export type ConflictMeaning =
  /** The document has this or a newer version: nothing is to be done. */
  | 'newer'
  /** The id is of the record's place, so the document is this very record. */
  | 'same'
  /** Somebody else changed the document at the same time. */
  | 'race'

/** One operation of a bulk request. */
export interface Operation {
  readonly index: string
  /** The line that says what is done, with its end, and what of the next one is before the document. */
  readonly head: string
  /** JSON of an object, as text or as the bytes that its record brought; empty where there is none. */
  readonly document: string | Uint8Array
  /** What comes after it, with the end of the line. */
  readonly tail: string
  readonly onConflict: ConflictMeaning
}

/** About how many bytes an operation takes: text is counted by its characters. */
export function sizeOf({ head, document, tail }: Operation): number {
  return head.length + document.length + tail.length
}

/** The most bytes that UTF-8 has for one unit of UTF-16. */
const UNIT_BYTES = 3

/** The body of a bulk request. */
export function bodyOf(operations: readonly Operation[]): Buffer {
  let most = 0
  for (const { head, document, tail } of operations) {
    const isText = typeof document === 'string'
    most += UNIT_BYTES * (head.length + tail.length + (isText ? document.length : 0)) + (isText ? 0 : document.length)
  }
  // The rest is never written to, and so it takes no memory.
  const body = Buffer.allocUnsafeSlow(most)
  let at = 0
  for (const { head, document, tail } of operations) {
    at += body.write(head, at)
    if (typeof document === 'string') at += body.write(document, at)
    else {
      body.set(document, at)
      at += document.length
    }
    at += body.write(tail, at)
  }
  return body.subarray(0, at)
}

/** What is asked of a bulk answer: with the whole items, reading it costs as much as writing the request. */
export const ANSWER_FILTER = 'errors,items.*.status,items.*.error'

export interface BulkAnswer {
  readonly errors: boolean
  readonly items?: readonly Readonly<Record<string, { readonly status: number; readonly error?: unknown }>>[]
}

/** Kinds of errors that are the document's own fault. */
const MALFORMED: ReadonlySet<string> = new Set([
  'mapper_parsing_exception',
  'document_parsing_exception',
  'strict_dynamic_mapping_exception',
  'illegal_argument_exception',
  'action_request_validation_exception',
  'invalid_index_name_exception',
  'version_conflict_engine_exception',
])

export interface ItemProblem {
  readonly index: number
  readonly failure: Failure
}

/** What became of the operations that the server did not take; `onNewer` hears of those that were not needed. */
export function problemsOf(
  answer: BulkAnswer,
  operations: readonly Operation[],
  onNewer: (index: number) => void,
): ItemProblem[] {
  const { items } = answer
  if (!answer.errors) return []
  if (items?.length !== operations.length) {
    throw new ConnectError(`the server answered for ${items?.length ?? 0} of ${operations.length} operations`)
  }
  const problems: ItemProblem[] = []
  for (const [index, item] of items.entries()) {
    const { status, error } = Object.values(item)[0]!
    if (error === undefined) continue
    if (status === 409 && operations[index]!.onConflict !== 'race') {
      if (operations[index]!.onConflict === 'newer') onNewer(index)
      continue
    }
    problems.push({ index, failure: failureOfItem(status, error) })
  }
  return problems
}

function failureOfItem(status: number, error: unknown): Failure {
  const type = String((error as { type?: unknown }).type)
  const described = new ConnectError(reasonOf(error))
  if (MALFORMED.has(type)) return dataFault(described)
  // Somebody deleted the index, or a disk is full for now: both may be mended while this is tried again.
  if (type === 'index_not_found_exception' || type === 'cluster_block_exception') return retriable(described)
  if (status === 429 || status >= 500) return retriable(described)
  return status === 400 ? dataFault(described) : fatal(described)
}
