import type { MongoClient } from 'mongodb'
import { parseConfigOrThrow, type SourceRecord } from '@millrace/sdk'
import { documentOfJson } from '../../../connectors/mongodb/extended-json.ts'
import source from '../../../connectors/mongodb/source.ts'
import { openSourceTask } from '../../integration/support/task-contract.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import type { MongoConnectorVersion } from '../../services/kafka-mongodb.ts'
import type { MongoServer } from '../../services/mongo.ts'
import { canonical, dumpRecord } from '../records.ts'
import { messageOf, throughJava } from './harness.ts'
import type { SourceCase } from './source-cases.ts'

/** What became of a case of a source. */
export interface SourceOutcome {
  readonly refused?: string
  /** Why the task failed; undefined where it did not. */
  readonly error?: string
  /** Records with partition and offset as text, in order; those of a copy by their texts. */
  readonly records: readonly string[]
}

/** A source that has nothing for so many polls and so long has no more: see MongoRunner.java. */
const IDLE_POLLS = 3
const IDLE_MS = 20
const RECORDS_MAX = 100

/** Fills the collections of the cases. Gives the resume token of a moment before, from which events are read. */
export async function prepareSources(client: MongoClient, cases: readonly SourceCase[]): Promise<string> {
  const token = await resumeToken(client)
  for (const { options, documents } of cases) {
    const collection = client.db(options['database']!).collection<any>('c')
    for (const json of documents) await collection.insertOne(documentOfJson(json))
  }
  return token
}

async function resumeToken(client: MongoClient): Promise<string> {
  const collection = client.db('start').collection<any>('c')
  const stream = collection.watch([])
  try {
    await stream.tryNext()
    await collection.insertOne({ _id: 1 })
    for (const deadline = Date.now() + DEADLINE_MS; ; ) {
      const event = await stream.tryNext()
      if (event !== null) return JSON.stringify(event._id)
      if (Date.now() > deadline) throw new Error('the server tells of no change')
    }
  } finally {
    await stream.close()
  }
}

function offsetOf(c: SourceCase, token: string): Record<string, string> | null {
  return c.isCopy ? null : { _id: token }
}

function optionsOf(c: SourceCase, server: MongoServer): Record<string, string> {
  return { ...c.options, 'connection.uri': server.uri }
}

/** What the original makes of the cases. */
export async function javaSources(
  server: MongoServer,
  cases: readonly SourceCase[],
  token: string,
  version?: MongoConnectorVersion,
): Promise<SourceOutcome[]> {
  const lines = cases.map((c) => {
    return { kind: c.kind, options: optionsOf(c, server), offset: offsetOf(c, token), most: RECORDS_MAX }
  })
  const text = ({ class: name, message }: { class: string; message: string }): string => `${name}: ${message}`
  return (await throughJava(lines, version)).map((answer, i): SourceOutcome => {
    if (answer.refused) return { refused: text(answer.refused), records: [] }
    const records = inOrder(cases[i]!, answer.records.map(canonical))
    return { ...(answer.error ? { error: text(answer.error) } : {}), records }
  })
}

/** What ours makes of them. */
export async function ourSources(
  server: MongoServer,
  cases: readonly SourceCase[],
  token: string,
): Promise<SourceOutcome[]> {
  const outcomes: SourceOutcome[] = []
  for (const c of cases) outcomes.push(await ourOutcome(c, optionsOf(c, server), offsetOf(c, token)))
  return outcomes
}

async function ourOutcome(
  c: SourceCase,
  raw: Record<string, string>,
  offset: Record<string, string> | null,
): Promise<SourceOutcome> {
  let opened: Awaited<ReturnType<typeof openSourceTask>>
  try {
    const issues = (await source.validate?.(parseConfigOrThrow(source.config, raw), raw)) ?? []
    if (issues.length > 0) return { refused: JSON.stringify(issues), records: [] }
    opened = await openSourceTask(source, raw, { get: () => offset }, { connectorName: 'compat' })
  } catch (error) {
    return { refused: messageOf(error), records: [] }
  }
  const { task } = opened
  const { signal } = new AbortController()
  const records: string[] = []
  let error: string | undefined
  try {
    let lastMs = Date.now()
    for (let idle = 0; (idle < IDLE_POLLS || Date.now() - lastMs < IDLE_MS) && records.length < RECORDS_MAX; ) {
      const polled = ((await task.poll(signal)) ?? []) as readonly SourceRecord[]
      idle++
      if (polled.length > 0) [idle, lastMs] = [0, Date.now()]
      // The others move the offset only, of which the original has nothing.
      records.push(...polled.filter(({ topic }) => topic !== null).map(textOf))
    }
  } catch (reason) {
    error = messageOf(reason)
  }
  await task.stop?.()
  return { ...(error === undefined ? {} : { error }), records: inOrder(c, records) }
}

function textOf(record: SourceRecord): string {
  const { sourcePartition, sourceOffset } = record
  return canonical({ ...(dumpRecord(record) as object), sourcePartition, sourceOffset })
}

function inOrder(c: SourceCase, records: readonly string[]): string[] {
  return c.isCopy ? records.toSorted() : [...records]
}
