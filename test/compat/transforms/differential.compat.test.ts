import { beforeAll, describe, expect, test } from 'vitest'
import { kafkaMissing } from '../../services/kafka.ts'
import { casesOf, compare, describe as describeDifference, javaOutcomes, PLUGINS } from './compare.ts'
import { type Case, ourOutcome, type Outcome, type Result } from './harness.ts'

const missing = kafkaMissing() !== null
// A seed that stays the same: run.ts takes as many others as one has time for.
const [SEED, CASES] = [1, 60]

const cases: Case[] = PLUGINS.flatMap((name) => casesOf(name, SEED, CASES))
let java: Outcome[] = []

beforeAll(async () => {
  if (!missing) java = await javaOutcomes(cases)
})

const isOf = (c: Case, name: string): boolean => c.class.includes(`.${name}`) || c.class === name

/** The cases of one plugin with what Java made of them. */
function part(name: string): [Case[], Outcome[]] {
  const indexes = cases.flatMap((c, i) => (isOf(c, name) ? [i] : []))
  return [indexes.map((i) => cases[i] as Case), indexes.map((i) => java[i] as Outcome)]
}

describe.skipIf(missing)('generated records come out as those of the real classes', () => {
  for (const name of PLUGINS) {
    test(name, async () => {
      const { compared, differences } = await compare(...part(name))
      expect(differences.map(describeDifference)).toEqual([])
      expect(compared).toBeGreaterThanOrEqual(CASES)
    })
  }
})

/** Mistakes that a transformation could make, each in the result of every record that it changes. */
const MISTAKES: readonly (readonly [name: string, spoil: (result: Result) => Result])[] = [
  ['a value is another one', (result) => replaced(result, /\{"n":"(\d+)"\}/, '{"n":"1$1"}')],
  ['a schema is optional that is not', (result) => replaced(result, '"optional":false', '"optional":true')],
  ['a record is dropped', (result) => ('text' in result ? { text: 'null' } : result)],
  ['an error is swallowed', (result) => ('error' in result ? { text: 'null' } : result)],
  ['a record that is fine is refused', (result) => ('text' in result ? { error: { message: 'no' } } : result)],
  ['an error is not typed', (result) => ('error' in result ? { error: { message: 'no', untyped: true } } : result)],
]

function replaced(result: Result, from: string | RegExp, to: string): Result {
  return 'text' in result ? { text: result.text.replace(from, to) } : result
}

describe.skipIf(missing)('the comparison notices when', () => {
  for (const [name, spoil] of MISTAKES) {
    test(name, async () => {
      let spoiled = 0
      const { differences, known } = await compare(...part('Cast'), async (c) => {
        const outcome = await ourOutcome(c)
        if ('refused' in outcome) return outcome
        const results = outcome.results.map(spoil)
        spoiled += results.filter((result, i) => JSON.stringify(result) !== JSON.stringify(outcome.results[i])).length
        return { results }
      })
      expect(spoiled).toBeGreaterThan(10)
      // Some of the records differ on purpose, and their rules may still hold.
      expect(differences.length).toBeGreaterThan(spoiled - known - 5)
    })
  }

  test('options are accepted that Java refuses, and the other way round', async () => {
    const { differences } = await compare(...part('Cast'), async (c) => {
      const outcome = await ourOutcome(c)
      return 'refused' in outcome
        ? { results: c.records.map(() => ({ text: 'null' })) }
        : { refused: { message: 'no' } }
    })
    expect(differences).toHaveLength(CASES)
  })
})
