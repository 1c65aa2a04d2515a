import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mongoConnectorMissing } from '../../services/kafka-mongodb.ts'
import { compareSources, describe as describeDifference } from './compare-sources.ts'
import { Side } from './harness.ts'
import { sourceCases } from './source-cases.ts'
import { javaSources, ourSources, prepareSources, type SourceOutcome } from './sources.ts'

const missing = mongoConnectorMissing() !== null
// A seed that stays the same: run.ts takes as many others as one has time for.
const [SEED, CASES] = [1, 120]

const cases = sourceCases(SEED, CASES)
let side: Side | undefined
let java: SourceOutcome[] = []
let ours: SourceOutcome[] = []

beforeAll(async () => {
  if (missing) return
  side = await Side.start()
  const { server, client } = side
  const token = await prepareSources(client, cases)
  ;[java, ours] = await Promise.all([javaSources(server, cases, token), ourSources(server, cases, token)])
})
afterAll(async () => {
  await side?.stop()
})

describe.skipIf(missing)('the source reads what the MongoDB Kafka connector reads', () => {
  test('in generated formats, from streams and copies', () => {
    const { compared, differences } = compareSources(cases, java, ours)
    expect(differences.map(describeDifference)).toEqual([])
    expect(compared).toBeGreaterThan(2 * CASES)
  })

  test('and the cases are of all kinds', () => {
    const texts = java.flatMap(({ records }) => records)
    const count = (fits: (text: string) => boolean): number => texts.filter(fits).length
    expect(texts.length).toBeGreaterThan(CASES)
    expect(count((text) => text.includes('HEARTBEAT'))).toBeGreaterThan(CASES / 50)
    expect(count((text) => text.includes('copyingData'))).toBeGreaterThan(CASES / 20)
    expect(count((text) => /"topic":"dead/.test(text))).toBeGreaterThan(CASES / 20)
    expect(count((text) => text.includes('"type":"struct"'))).toBeGreaterThan(CASES / 10)
    expect(java.some(({ error }) => error !== undefined)).toBe(true)
  })
})

/** Mistakes that a source could make, each in the outcome of every case that it changes. */
const MISTAKES: readonly (readonly [name: string, spoil: (outcome: SourceOutcome) => SourceOutcome])[] = [
  [
    'a topic is another one',
    (one) => ({ ...one, records: one.records.map((text) => text.replace('"topic":"', '"topic":"x')) }),
  ],
  [
    'an offset is another one',
    (one) => ({ ...one, records: one.records.map((text) => text.replace('_data', '_date')) }),
  ],
  ['a record is missing', (one) => ({ ...one, records: one.records.slice(1) })],
  ['a record comes twice', (one) => ({ ...one, records: [...one.records, ...one.records.slice(0, 1)] })],
  ['two records change places', (one) => ({ ...one, records: one.records.toReversed() })],
  [
    'a schema is optional that is not',
    (one) => ({ ...one, records: one.records.map((text) => text.replace('"optional":false', '"optional":true')) }),
  ],
  ['a failure is passed over', ({ error: _error, ...one }) => one],
]

describe.skipIf(missing)('the comparison notices when', () => {
  for (const [name, spoil] of MISTAKES) {
    test(name, () => {
      const spoiled = ours.map(spoil)
      const changes = ours.filter((outcome, i) => JSON.stringify(outcome) !== JSON.stringify(spoiled[i])).length
      expect(changes).toBeGreaterThan(0)
      expect(compareSources(cases, java, spoiled).differences.length).toBeGreaterThan(changes / 3)
    })
  }
})
