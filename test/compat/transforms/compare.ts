import { seededRandom } from '../../../src/base/index.ts'
import { debeziumConfigs } from './debezium-configs.ts'
import { Generator } from '../generate.ts'
import type { RecordJson } from '../records.ts'
import { type Case, javaOutcome, ourOutcome, type Outcome, throughJava } from './harness.ts'
import { kafkaConfigs, TWO_SIDED } from './kafka-configs.ts'
import { isKnown } from './known-differences.ts'

/** A place where ours does not do what Java does. */
export interface Difference {
  readonly class: string
  readonly options: Readonly<Record<string, string>>
  /** Undefined where the options were refused by one side. */
  readonly record: RecordJson | undefined
  readonly java: string
  readonly ours: string
}

export interface Comparison {
  /** How many records and refusals were compared, and how many of them are known to differ. */
  readonly compared: number
  readonly known: number
  readonly differences: readonly Difference[]
}

/** The simple names of everything that is compared, `Cast` for both `Cast$Key` and `Cast$Value`. */
export const PLUGINS: readonly string[] = [...Object.keys(kafkaConfigs), ...Object.keys(debeziumConfigs)]

const KAFKA = 'org.apache.kafka.connect.transforms.'
const RECORDS = 4

/** Cases by chance for one plugin; the same seed gives the same ones. */
export function casesOf(name: string, seed: number, count: number): Case[] {
  const g = new Generator(seededRandom(seed * 1000 + name.length))
  return Array.from({ length: count }, (): Case => {
    const debezium = debeziumConfigs[name]
    if (debezium) return { class: name, ...debezium(g, RECORDS) }
    const side = TWO_SIDED.includes(name) ? (g.chance(0.2) ? '$Key' : '$Value') : ''
    const options = (kafkaConfigs[name] as (g: Generator) => Record<string, string>)(g)
    return { class: `${KAFKA}${name}${side}`, options, records: Array.from({ length: RECORDS }, () => g.record()) }
  })
}

/** What Java makes of the cases, to be compared with as many runs of ours as one likes. */
export async function javaOutcomes(cases: readonly Case[]): Promise<Outcome[]> {
  return (await throughJava(cases)).map(javaOutcome)
}

/** Compares Java's outcomes with those of our plugins; `run` stands in for ours where the comparison itself is tested. */
export async function compare(
  cases: readonly Case[],
  java: readonly Outcome[],
  run: (c: Case) => Promise<Outcome> = ourOutcome,
): Promise<Comparison> {
  const differences: Difference[] = []
  let [compared, known] = [0, 0]
  for (const [i, c] of cases.entries()) {
    const pairs = pairsOf(c, java[i] as Outcome, await run(c))
    for (const { record, java: theirs, ours } of pairs) {
      compared++
      if (theirs === ours) continue
      const difference = { class: c.class, options: c.options, record, java: theirs, ours }
      if (isKnown(difference)) known++
      else differences.push(difference)
    }
  }
  return { compared, known, differences }
}

/** What is compared as text: a whole refusal or record by record. Of errors it is the kind; messages may be clearer than Java's. */
function pairsOf(c: Case, java: Outcome, ours: Outcome): Pick<Difference, 'record' | 'java' | 'ours'>[] {
  if ('refused' in java || 'refused' in ours) {
    return [{ record: undefined, java: refusalOf(java), ours: refusalOf(ours) }]
  }
  return c.records.map((record, i) => {
    const [theirs, mine] = [java.results[i], ours.results[i]]
    if (theirs === undefined || mine === undefined) throw new Error('an outcome has too few results')
    if ('text' in theirs && 'text' in mine) return { record, java: theirs.text, ours: mine.text }
    return { record, java: shown(theirs, 'error' in mine), ours: shown(mine, 'error' in theirs) }
  })
}

function refusalOf(outcome: Outcome): string {
  if (!('refused' in outcome)) return 'accepted'
  return `refused${outcome.refused.untyped ? ` with an error that is not typed: ${outcome.refused.message}` : ''}`
}

/** An error without its message where the other side has one too, as an error that Java throws by accident is typed here. */
function shown(result: { text: string } | { error: { message: string; untyped?: boolean } }, both: boolean): string {
  if ('text' in result) return result.text
  if (result.error.untyped) return `an error that is not typed: ${result.error.message}`
  return both ? 'error' : `error: ${result.error.message}`
}

/** A difference in a few lines, without what is the same on both sides. */
export function describe({ class: name, options, record, java, ours }: Difference): string {
  const [theirs, mine] = withoutEqual(java, ours)
  const lines = [
    `${name} ${JSON.stringify(options)}`,
    `record ${JSON.stringify(record)}`,
    `Java   ${theirs}`,
    `ours   ${mine}`,
  ]
  return lines.map((line) => `  ${line}\n`).join('')
}

/** Two records without the parts that are the same; anything else as it is. */
function withoutEqual(java: string, ours: string): [string, string] {
  if (!java.startsWith('{"headers"') || !ours.startsWith('{"headers"')) return [java, ours]
  const [theirs, mine] = [JSON.parse(java), JSON.parse(ours)] as [Record<string, unknown>, Record<string, unknown>]
  for (const part of Object.keys(theirs)) {
    if (JSON.stringify(theirs[part]) !== JSON.stringify(mine[part])) continue
    delete theirs[part]
    delete mine[part]
  }
  return [JSON.stringify(theirs), JSON.stringify(mine)]
}
