import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mongoConnectorMissing } from '../../services/kafka-mongodb.ts'
import { compareSinks, describe as describeDifference } from './compare-sinks.ts'
import { Side } from './harness.ts'
import { sinkCases } from './sink-cases.ts'
import { javaSinks, ourSinks, type SinkOutcome } from './sinks.ts'

const missing = mongoConnectorMissing() !== null
// A seed that stays the same: run.ts takes as many others as one has time for.
const [SEED, CASES] = [1, 250]

const cases = sinkCases(SEED, CASES)
let sides: readonly Side[] = []
let java: SinkOutcome[] = []
let ours: SinkOutcome[] = []

beforeAll(async () => {
  if (missing) return
  sides = await Promise.all([Side.start(), Side.start()])
  ;[java, ours] = await Promise.all([javaSinks(sides[0]!, cases), ourSinks(sides[1]!, cases)])
})
afterAll(async () => {
  for (const side of sides) await side.stop()
})

describe.skipIf(missing)('the sink does what the MongoDB Kafka connector does', () => {
  test('with generated configurations and records', () => {
    const { compared, differences } = compareSinks(cases, java, ours)
    expect(differences.map(describeDifference)).toEqual([])
    expect(compared).toBeGreaterThan(4 * CASES)
  })

  test('and the cases are of all kinds', () => {
    const count = (fits: (outcome: SinkOutcome) => boolean): number => java.filter(fits).length
    expect(count(({ documents }) => Object.keys(documents).length > 0)).toBeGreaterThan(CASES / 4)
    expect(count(({ reported }) => Object.keys(reported).length > 0)).toBeGreaterThan(CASES / 4)
    expect(count(({ failedAt }) => failedAt !== undefined)).toBeGreaterThan(CASES / 50)
    expect(count(({ refused }) => refused !== undefined)).toBeGreaterThan(CASES / 50)
  })
})

/** Mistakes that a sink could make, each in the outcome of every case that it changes. */
const MISTAKES: readonly (readonly [name: string, spoil: (outcome: SinkOutcome) => SinkOutcome])[] = [
  ['a value is another one', (one) => ({ ...one, documents: changed(one, /"\$numberInt":"/, '"$numberInt":"1') })],
  ['a type is another one', (one) => ({ ...one, documents: changed(one, '$numberInt', '$numberLong') })],
  ['a document is missing', (one) => ({ ...one, documents: mapped(one, (texts) => texts.slice(1)) })],
  ['what is bad is passed over', (one) => ({ ...one, reported: {} })],
  ['a task that failed goes on', ({ failedAt: _failed, ...one }) => one],
  ['a configuration is refused', (one) => ({ ...one, refused: 'no' })],
]

const mapped = ({ documents }: SinkOutcome, map: (texts: readonly string[]) => readonly string[]) =>
  Object.fromEntries(Object.entries(documents).map(([name, texts]) => [name, map(texts)]))
const changed = (outcome: SinkOutcome, from: string | RegExp, to: string) =>
  mapped(outcome, (texts) => texts.map((text) => text.replace(from, to)))

describe.skipIf(missing)('the comparison notices when', () => {
  for (const [name, spoil] of MISTAKES) {
    test(name, () => {
      const spoiled = ours.map(spoil)
      const changes = ours.filter((outcome, i) => JSON.stringify(outcome) !== JSON.stringify(spoiled[i])).length
      expect(changes).toBeGreaterThan(5)
      const { differences } = compareSinks(cases, java, spoiled)
      // Where ours differs on purpose, what follows is not compared.
      expect(differences.length).toBeGreaterThan(changes / 3)
    })
  }
})
