import { isConnectError, parseConfigOrThrow, type SinkRecord } from '@millrace/sdk'
import sink from '../../../connectors/mongodb/sink.ts'
import { startSink } from '../../integration/support/sink-driver.ts'
import type { MongoConnectorVersion } from '../../services/kafka-mongodb.ts'
import { recordOf } from '../records.ts'
import { type Dump, dumpDatabases } from './dump.ts'
import { messageOf, type Side, throughJava } from './harness.ts'
import type { SinkCase } from './sink-cases.ts'

/** Where a record that was not written belongs: its own fault, the server's answer, or behind one of those. */
type Fault = 'data' | 'write' | 'skipped'

/** What became of a case of a sink. */
export interface SinkOutcome {
  /** Set: the configuration was refused, with this message. */
  readonly refused?: string
  /** How many puts went well before the task failed; undefined where it did not. */
  readonly failedAt?: number
  /** By offset, what the dead letter queue got. */
  readonly reported: Readonly<Record<number, Fault>>
  readonly documents: Dump
  /** Messages, which are not compared. */
  readonly notes: readonly string[]
}

/** `c7x` belongs to the case `c7`. */
const caseOf = (database: string): string => /^c\d+/.exec(database)?.[0] ?? database

/** Makes what the cases need before they begin. */
async function prepare({ client }: Side, cases: readonly SinkCase[]): Promise<void> {
  for (const { unique, options } of cases) {
    if (unique === null) continue
    const collection = client.db(options['database']!).collection(options['collection'] ?? 't')
    await collection.createIndex({ [unique]: 1 }, { unique: true })
  }
}

/** What the original makes of the cases. */
export async function javaSinks(
  side: Side,
  cases: readonly SinkCase[],
  version?: MongoConnectorVersion,
): Promise<SinkOutcome[]> {
  await prepare(side, cases)
  const answers = await throughJava(
    cases.map((c) => ({ ...c, options: optionsOf(c, side) })),
    version,
  )
  const dumps = await dumpDatabases(side.client, caseOf)
  return answers.map((answer, i) => javaOutcome(answer, dumps.get(cases[i]!.options['database']!) ?? {}))
}

function optionsOf(c: SinkCase, side: Side): Record<string, string> {
  return { ...c.options, 'connection.uri': side.server.uri }
}

function javaOutcome(answer: any, documents: Dump): SinkOutcome {
  if (answer.refused) return { refused: noteOf(answer.refused), reported: {}, documents, notes: [] }
  const failedAt = answer.puts.findIndex((put: unknown) => put !== null)
  const reported = Object.fromEntries(answer.reported.map((one: any) => [one.offset, javaFault(one)]))
  const failures = failedAt < 0 ? [] : [answer.puts[failedAt]]
  const notes = [...answer.reported, ...failures].map(noteOf)
  return { ...(failedAt < 0 ? {} : { failedAt }), reported, documents, notes }
}

const noteOf = (error: { class: string; message: string; offset?: number }): string =>
  `${error.offset ?? ''} ${error.class}: ${error.message}`

function javaFault(error: { class: string }): Fault {
  if (error.class === 'WriteSkippedException') return 'skipped'
  return /^(WriteException|Mongo.*Exception|WriteConcernException)$/.test(error.class) ? 'write' : 'data'
}

/** What ours makes of them. */
export async function ourSinks(side: Side, cases: readonly SinkCase[]): Promise<SinkOutcome[]> {
  await prepare(side, cases)
  const outcomes: Omit<SinkOutcome, 'documents'>[] = []
  for (const c of cases) outcomes.push(await ourOutcome(c, side))
  const dumps = await dumpDatabases(side.client, caseOf)
  return outcomes.map((outcome, i) => ({ ...outcome, documents: dumps.get(cases[i]!.options['database']!) ?? {} }))
}

async function ourOutcome(c: SinkCase, side: Side): Promise<Omit<SinkOutcome, 'documents'>> {
  const raw = { ...optionsOf(c, side), 'retries.defer.timeout': '1', 'max.num.retries': '1' }
  const refuse = (message: string) => ({ refused: message, reported: {}, notes: [] })
  let driver: Awaited<ReturnType<typeof startSink>>
  try {
    const issues = await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)
    if (issues !== undefined && issues.length > 0) return refuse(JSON.stringify(issues))
    driver = await startSink(sink, raw, { hasQueue: c.hasQueue })
  } catch (error) {
    return refuse(messageOf(error))
  }
  let failedAt: number | undefined
  const notes: string[] = []
  try {
    for (const [at, put] of c.puts.entries()) {
      failedAt = at
      await driver.put(put.map((json) => recordOf(json) as SinkRecord))
      await driver.commit()
      await driver.put([])
    }
    failedAt = undefined
  } catch (error) {
    notes.push(messageOf(error))
  }
  await driver.stop().catch(() => undefined)
  const reported: Record<number, Fault> = {}
  for (const { record, error } of driver.reported) {
    reported[record.originalOffset] = isConnectError(error.cause) && error.cause.code === 'DATA' ? 'data' : 'write'
    notes.push(`${record.originalOffset} ${messageOf(error)}`)
  }
  return { ...(failedAt === undefined ? {} : { failedAt }), reported, notes }
}
