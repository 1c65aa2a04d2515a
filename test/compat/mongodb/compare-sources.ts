import type { SourceCase } from './source-cases.ts'
import type { SourceOutcome } from './sources.ts'
import { whySourceKnown } from './known-source-differences.ts'

/** A place where our source does not do what the original does. */
export interface SourceDifference {
  readonly options: Readonly<Record<string, string>>
  readonly documents: readonly string[]
  /** A record as text, `nothing`, or what became of the whole case. */
  readonly java: string
  readonly ours: string
}

export interface SourceComparison {
  readonly compared: number
  readonly explained: ReadonlyMap<string, number>
  readonly differences: readonly SourceDifference[]
}

/** Compares what both read: by their offsets, so that a record that one side leaves out is one difference. */
export function compareSources(
  cases: readonly SourceCase[],
  java: readonly SourceOutcome[],
  ours: readonly SourceOutcome[],
): SourceComparison {
  const explained = new Map<string, number>()
  const differences: SourceDifference[] = []
  let compared = 0
  for (const [i, { options, documents }] of cases.entries()) {
    for (const [theirs, mine] of pairsOf(java[i]!, ours[i]!)) {
      compared++
      if (theirs === mine) continue
      const difference = { options, documents, java: theirs, ours: mine }
      const why = whySourceKnown(difference)
      if (why === undefined) differences.push(difference)
      else explained.set(why, (explained.get(why) ?? 0) + 1)
    }
  }
  return { compared, explained, differences }
}

const HEARTBEAT = 'heartbeat'

type Pair = readonly [java: string, ours: string]

function pairsOf(java: SourceOutcome, ours: SourceOutcome): Pair[] {
  const ends = [endOf(java), endOf(ours)] as const
  const words = ends.map((end) => end.split(':', 1)[0])
  if (words[0] !== words[1]) return [ends]
  // Where a task fails depends on how many events were in the poll that failed.
  if (words[0] !== 'read') return [['', '']]
  const [theirs, mine] = [byOffset(java), byOffset(ours)]
  const common = (these: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): string =>
    [...these.keys()].filter((offset) => offset !== HEARTBEAT && others.has(offset)).join('\n')
  const order: Pair = [`order: ${common(theirs, mine)}`, `order: ${common(mine, theirs)}`]
  const offsets = [...new Set([...theirs.keys(), ...mine.keys()])]
  return [order, ...offsets.map((offset): Pair => [theirs.get(offset) ?? 'nothing', mine.get(offset) ?? 'nothing'])]
}

function endOf({ refused, error }: SourceOutcome): string {
  if (refused !== undefined) return `refused: ${refused}`
  return error === undefined ? 'read' : `failed: ${error}`
}

/** Of heartbeats the last one: when there is one before it depends on time. */
function byOffset({ records }: SourceOutcome): Map<string, string> {
  const texts = new Map<string, string>()
  for (const text of records) {
    const { sourceOffset } = JSON.parse(text) as { sourceOffset: Readonly<Record<string, unknown>> }
    const offset = JSON.stringify(sourceOffset)
    if ('HEARTBEAT' in sourceOffset) texts.set(HEARTBEAT, text)
    else texts.set(offset, texts.has(offset) ? `${texts.get(offset)!}\n${text}` : text)
  }
  return texts
}

/** A difference in a few lines, without the parts of a record that are the same. */
export function describe({ options, documents, java, ours }: SourceDifference): string {
  const [theirs, mine] = withoutEqual(java, ours)
  const shown = JSON.stringify(options).replaceAll('com.mongodb.kafka.connect.', '')
  const lines = [shown, ...documents, `Java   ${theirs}`, `ours   ${mine}`]
  return lines.map((line) => `  ${line}\n`).join('')
}

function withoutEqual(java: string, ours: string): [string, string] {
  if (![java, ours].every((text) => text.startsWith('{') && !text.includes('\n'))) return [java, ours]
  const [theirs, mine] = [JSON.parse(java), JSON.parse(ours)] as [Record<string, unknown>, Record<string, unknown>]
  for (const part of Object.keys(theirs)) {
    if (JSON.stringify(theirs[part]) !== JSON.stringify(mine[part])) continue
    delete theirs[part]
    delete mine[part]
  }
  return [JSON.stringify(theirs), JSON.stringify(mine)]
}
