import { beforeAll, describe, expect, test } from 'vitest'
import { configValueToString, type Transformation } from '@millrace/sdk'
import { kafkaMissing } from '../../services/kafka.ts'
import { transformManifests } from '../../../transforms/index.ts'
import { casesOf, compare, describe as describeDifference, javaOutcomes, PLUGINS } from './compare.ts'
import { type Case, ourOutcome, type Outcome, type Result, throughJava } from './harness.ts'

const missing = kafkaMissing() !== null
// A seed that stays the same: run.ts takes as many others as one has time for.
const [SEED, CASES] = [1, 40]

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

interface JavaKey {
  readonly type: string
  readonly importance: string
  readonly default?: string | null
}

/** Keys that the classes of Debezium read without declaring them, or that those of Debezium 2 had. */
const UNDECLARED: Readonly<Record<string, readonly string[]>> = {
  ExtractNewRecordState: ['delete.handling.mode', 'drop.tombstones', 'replace.null.with.default'],
  EventRouter: ['field.name.adjustment.mode'],
  ByLogicalTableRouter: ['key.field.name', 'schema.name.adjustment.mode'],
  ToLogicalTopicRouter: ['key.field.name', 'schema.name.adjustment.mode'],
}
/** Keys that Debezium requires although it declares a default of null. */
const REQUIRED = ['topic.regex', 'topic.replacement']

describe.skipIf(missing)('every option of the real class is there, with its type, importance and default', () => {
  const definitions = transformManifests.filter(({ kind }) => kind === 'transformation')
  let javas: Readonly<Record<string, JavaKey>>[] = []
  beforeAll(async () => {
    if (!missing) javas = await throughJava(definitions.map(({ name }) => ({ class: name })))
  })

  for (const [i, manifest] of definitions.entries()) {
    test(manifest.name, async () => {
      const { default: ours } = (await manifest.load()) as { default: Transformation }
      const theirs = javas[i] ?? {}
      const more = Object.keys(ours.config).filter((key) => !(key in theirs))
      expect(more.toSorted()).toEqual(UNDECLARED[manifest.title] ?? [])
      for (const [key, java] of Object.entries(theirs)) {
        const mine = ours.config[key]
        expect({ key, type: mine?.type, importance: mine?.importance }).toEqual({
          key,
          type: java.type.toLowerCase(),
          importance: java.importance.toLowerCase(),
        })
        const value = mine?.default === undefined ? undefined : configValueToString(mine, mine.default)
        expect({ key, value }).toEqual({ key, value: REQUIRED.includes(key) ? undefined : java.default })
      }
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
