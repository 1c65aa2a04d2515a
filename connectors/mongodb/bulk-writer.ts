import { BSON, type AnyBulkWriteOperation, type Collection } from 'mongodb'
import { type Failure, retriable } from '../_shared/retry/index.ts'
import type { ItemFailure, WriteOutcome } from '../_shared/sink-batcher/index.ts'
import { failureOfCode } from './failures.ts'
import type { Operation } from './write-models.ts'

const DUPLICATE_KEY = 11_000

/** One write of a bulk. */
export interface BulkItem {
  readonly operation: Operation
  /** The `_id` is of the record or was made for it, so a document that has it already is this very record. */
  readonly isOwnId: boolean
}

/** A bulk write that is ready to be sent. */
export interface Bulk {
  /** Sends it; gives what became of its items when that is not "all are written". */
  write(): Promise<WriteOutcome | undefined>
}

/**
 * Makes a bulk write of items, or several where that is what keeps the order of the writes of a document. The driver makes
 * BSON of an ordered one at once, so that it can be made while the server is busy with another.
 */
export function prepareBulk(collection: Collection, items: readonly BulkItem[], ordered: boolean): Bulk {
  if (!ordered) return { write: () => writeUnordered(collection, items) }
  const send = prepare(collection, items, true)
  return { write: async () => outcomeOf(await send(), items) }
}

async function writeUnordered(collection: Collection, items: readonly BulkItem[]): Promise<WriteOutcome | undefined> {
  const failures: ItemFailure[] = []
  const rounds = roundsOf(items)
  for (const [number, round] of rounds.entries()) {
    const send = prepare(
      collection,
      round.map((index) => items[index]!),
      false,
    )
    const error = await send()
    for (const { index, failure } of problemsOf(error, (at) => items[round[at]!]!)) {
      failures.push({ index: round[index]!, failure })
    }
    const passing = failures.find(({ failure }) => failure.kind === 'retriable')
    if (passing === undefined) continue
    // What comes later may be of the same documents, so it waits until this is done.
    for (const index of rounds.slice(number + 1).flat()) failures.push({ index, failure: passing.failure })
    break
  }
  return failures.length === 0 ? undefined : { failures: failures.sort((a, b) => a.index - b.index) }
}

interface ServerProblem {
  readonly index: number
  readonly code: number
  readonly errmsg?: string
}

/** The error with which the server refused some of the writes. Anything else is thrown. */
interface BulkError extends Error {
  readonly writeErrors: readonly ServerProblem[] | ServerProblem
}

/** What cannot be made into BSON is told by what sends it, in its turn. */
function prepare(
  collection: Collection,
  items: readonly BulkItem[],
  ordered: boolean,
): () => Promise<BulkError | undefined> {
  // The driver would replace an _id that is null by one of its own.
  const options = { ignoreUndefined: true, forceServerObjectId: true }
  const bulk = ordered ? collection.initializeOrderedBulkOp(options) : collection.initializeUnorderedBulkOp(options)
  try {
    for (const { operation } of items) bulk.raw(operation as unknown as AnyBulkWriteOperation)
  } catch (error) {
    return () => Promise.reject(error)
  }
  return async () => {
    try {
      await bulk.execute(options)
      return undefined
    } catch (error) {
      const problems = (error as Partial<BulkError>).writeErrors
      // Without them it is a write concern that failed: nobody knows what is durable, so all is written again.
      if (problems === undefined || (Array.isArray(problems) && problems.length === 0)) throw error
      return error as BulkError
    }
  }
}

/** The server stops at the first error of an ordered bulk: what is behind it was not attempted. */
function outcomeOf(error: BulkError | undefined, items: readonly BulkItem[]): WriteOutcome | undefined {
  if (error === undefined) return undefined
  const attempted = Math.max(...listOf(error).map(({ index }) => index)) + 1
  return { failures: problemsOf(error, (index) => items[index]!), attempted }
}

function problemsOf(error: BulkError | undefined, itemAt: (index: number) => BulkItem): ItemFailure[] {
  if (error === undefined) return []
  const failures: ItemFailure[] = []
  for (const problem of listOf(error)) {
    const failure = failureOfProblem(problem, itemAt(problem.index))
    if (failure !== undefined) failures.push({ index: problem.index, failure })
  }
  return failures
}

function listOf({ writeErrors }: BulkError): readonly ServerProblem[] {
  return Array.isArray(writeErrors) ? (writeErrors as readonly ServerProblem[]) : [writeErrors as ServerProblem]
}

function failureOfProblem({ code, errmsg = '' }: ServerProblem, item: BulkItem): Failure | undefined {
  const error = Object.assign(new Error(`the server refused the write with code ${code}: ${errmsg}`), { code })
  if (code === DUPLICATE_KEY && / _id_ |_id: |"_id"/.test(errmsg)) {
    if ('insertOne' in item.operation) return item.isOwnId ? undefined : failureOfCode(code, error)
    // Two upserts of one document at the same time; the second try finds it.
    if (onlyId(item.operation)) return retriable(error)
  }
  return failureOfCode(code, error)
}

function onlyId(operation: Operation): boolean {
  const filter = filterOf(operation)
  return filter !== undefined && '_id' in filter && Object.keys(filter).length === 1
}

function filterOf(operation: Operation): Readonly<Record<string, unknown>> | undefined {
  if ('replaceOne' in operation) return operation.replaceOne.filter
  if ('updateOne' in operation) return operation.updateOne.filter
  return 'deleteOne' in operation ? operation.deleteOne.filter : undefined
}

/**
 * Places of items, in rounds of which none has two writes of one document: a server does the writes of an unordered bulk in
 * any order, and the driver sends inserts, updates and deletes of it separately.
 */
export function roundsOf(items: readonly BulkItem[]): number[][] {
  const rounds: number[][] = []
  const seen = new Map<string, number>()
  for (const [index, { operation }] of items.entries()) {
    const key = keyOf(operation)
    const round = (seen.get(key) ?? -1) + 1
    seen.set(key, round)
    ;(rounds[round] ??= []).push(index)
  }
  return rounds
}

/** Which document a write is of. */
function keyOf(operation: Operation): string {
  const filter = 'insertOne' in operation ? { _id: operation.insertOne.document['_id'] } : filterOf(operation)!
  const entries = Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(BSON.serialize(Object.fromEntries(entries))).toString('latin1')
}
