import { ConnectError } from '@millrace/sdk'
import { dataFault, type Failure, fatal, retriable } from '../_shared/retry/index.ts'
import { reasonOf } from './failures.ts'
import type { Operation } from './operation.ts'

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
    if (status === 409 && operations[index]!.frame.onConflict !== 'race') {
      if (operations[index]!.frame.onConflict === 'newer') onNewer(index)
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
