import type { RecordJson } from '../records.ts'
import { whySinkKnown } from './known-sink-differences.ts'
import type { SinkCase } from './sink-cases.ts'
import type { SinkOutcome } from './sinks.ts'

/** A place where ours does not do what the original does. */
export interface SinkDifference {
  readonly options: Readonly<Record<string, string>>
  /** The configuration as a whole, one record, or the documents of a collection at the end. */
  readonly about: 'configuration' | 'record' | 'documents'
  readonly record: RecordJson | undefined
  /** Whether some records were delivered together. */
  readonly hasBulks: boolean
  readonly java: string
  readonly ours: string
}

export interface SinkComparison {
  readonly compared: number
  /** How often each explanation was needed. */
  readonly explained: ReadonlyMap<string, number>
  readonly differences: readonly SinkDifference[]
}

/** Compares what both made of the cases: configurations, each record's fate, and the documents at the end. */
export function compareSinks(
  cases: readonly SinkCase[],
  java: readonly SinkOutcome[],
  ours: readonly SinkOutcome[],
): SinkComparison {
  const explained = new Map<string, number>()
  const differences: SinkDifference[] = []
  let compared = 0
  for (const [i, c] of cases.entries()) {
    const [theirs, mine] = [java[i]!, ours[i]!]
    const fates = [...configuration(c, theirs, mine), ...records(c, theirs, mine)]
    const unequal = fates.filter(isUnequal)
    let isKnown = false
    for (const difference of unequal) {
      const why = whySinkKnown(difference)
      if (why !== undefined) explained.set(why, (explained.get(why) ?? 0) + 1)
      // What the server says to later records depends on what is there.
      else if (!(isKnown && [difference.java, difference.ours].some(isOfServer))) differences.push(difference)
      isKnown ||= why !== undefined
    }
    compared += fates.length
    // A record that only one side writes is in the documents of that side, and where it meets others in theirs.
    if (unequal.length > 0) continue
    for (const difference of documents(c, theirs, mine)) {
      compared++
      if (!isUnequal(difference)) continue
      const why = whySinkKnown(difference)
      if (why === undefined) differences.push(difference)
      else explained.set(why, (explained.get(why) ?? 0) + 1)
    }
  }
  return { compared, explained, differences }
}

const isUnequal = ({ java, ours }: SinkDifference): boolean =>
  java !== ours && withoutMessage(java) !== withoutMessage(ours)
const isOfServer = (fate: string): boolean => fate.startsWith('write: ')
const withoutMessage = (fate: string): string => fate.split(': ', 1)[0]!

const hasBulks = ({ puts }: SinkCase): boolean => puts.some(({ length }) => length > 1)

function configuration(c: SinkCase, theirs: SinkOutcome, mine: SinkOutcome): SinkDifference[] {
  const fate = ({ refused }: SinkOutcome): string => (refused === undefined ? 'accepted' : `refused: ${refused}`)
  const place = { options: c.options, about: 'configuration' as const, record: undefined, hasBulks: hasBulks(c) }
  return [{ ...place, java: fate(theirs), ours: fate(mine) }]
}

function records(c: SinkCase, theirs: SinkOutcome, mine: SinkOutcome): SinkDifference[] {
  if (theirs.refused !== undefined || mine.refused !== undefined) return []
  const ends = [theirs.failedAt, mine.failedAt].filter((at) => at !== undefined)
  const puts = ends.length === 0 ? c.puts : c.puts.slice(0, Math.min(...ends) + 1)
  return puts.flatMap((put, at) =>
    put.map((record): SinkDifference => {
      const [java, ours] = [fateOf(theirs, record, at), fateOf(mine, record, at)]
      return { options: c.options, about: 'record', record, hasBulks: hasBulks(c), java, ours }
    }),
  )
}

/** What became of a record: taken, which may mean that there was nothing to do, reported, or the end of the task. */
function fateOf({ failedAt, reported, notes }: SinkOutcome, record: RecordJson, put: number): string {
  const fault = reported[record.offset!]
  const note = notes.find((one) => one.startsWith(`${record.offset} `)) ?? notes.join(' ')
  if (fault !== undefined) return `${fault}: ${note}`
  return failedAt === put ? `failed: ${note}` : 'taken'
}

function documents(c: SinkCase, theirs: SinkOutcome, mine: SinkOutcome): SinkDifference[] {
  const names = new Set([...Object.keys(theirs.documents), ...Object.keys(mine.documents)])
  return [...names].map((name) => {
    const [java, ours] = [theirs.documents[name] ?? [], mine.documents[name] ?? []]
    const only = (these: readonly string[], others: readonly string[]): string =>
      these.length === others.length ? these.filter((one) => !others.includes(one)).join('\n') : these.join('\n')
    const place = { options: c.options, about: 'documents' as const, record: undefined, hasBulks: hasBulks(c) }
    return java.join('\n') === ours.join('\n')
      ? { ...place, java: '', ours: '' }
      : { ...place, java: `${name} ${only(java, ours)}`, ours: `${name} ${only(ours, java)}` }
  })
}

/** A difference in a few lines. */
export function describe({ options, about, record, java, ours }: SinkDifference): string {
  const shown = JSON.stringify(options).replaceAll('com.mongodb.kafka.connect.', '')
  const lines = [`${about} ${shown}`, ...(record ? [`record ${JSON.stringify(recordLine(record))}`] : [])]
  return [...lines, `Java   ${java}`, `ours   ${ours}`].map((line) => `  ${line}\n`).join('')
}

function recordLine({ offset, keySchema, key, valueSchema, value }: RecordJson): object {
  return { offset, key, value, ...(keySchema ? { keySchema } : {}), ...(valueSchema ? { valueSchema } : {}) }
}
