import {
  type ConverterDefinition,
  type HeaderConverterDefinition,
  isConnectError,
  parseConfigOrThrow,
  type RawConfig,
  type Schema,
  type SchemaAndValue,
} from '@millrace/sdk'
import { assortedData } from './assorted.ts'
import { type Check, type CheckResult, expectThat, messageOf, notApplicable, runChecks } from './check.ts'
import { silent } from './connector-tasks.ts'
import { type DefinitionCheck, definitionChecks } from './definition-checks.ts'
import type { PluginOptions } from './options.ts'
import { misfit } from './record-shape.ts'
import { seeded } from './seeded.ts'
import { snapshot } from './snapshot.ts'

/** The checks of a converter. */
export type ConverterCheck = DefinitionCheck | 'round-trip' | 'tombstones' | 'pure' | 'misfits' | 'garbage'

/** Data that goes to bytes and back. */
export interface ConverterSample {
  readonly schema: Schema | null
  readonly value: unknown
  /** What comes back where it is not the same value. */
  readonly back?: unknown
}

export interface ConverterOptions extends PluginOptions<ConverterCheck> {
  readonly config: RawConfig
  readonly samples: readonly ConverterSample[]
  /** Data that this converter has to refuse. */
  readonly misfits?: readonly SchemaAndValue[]
}

type Definition = ConverterDefinition | HeaderConverterDefinition

/** One use of a converter: for keys, for values or for headers. */
interface Use {
  readonly name: string
  from(schema: Schema | null, value: unknown): Uint8Array | null
  to(bytes: Uint8Array | null): SchemaAndValue
}

interface Subject {
  readonly options: ConverterOptions
  readonly uses: () => readonly Use[]
}

/** The checks of a converter, to be run one by one. */
export function converterChecks(definition: Definition, options: ConverterOptions): readonly Check<ConverterCheck>[] {
  const subject: Subject = { options, uses: () => usesOf(definition, options.config) }
  const check = (name: ConverterCheck, title: string, run: (subject: Subject) => void) => ({
    name,
    title,
    run: async () => run(subject),
  })
  return [
    ...definitionChecks(definition, options, {
      open: async () => ({ config: options.config }),
      use: async (raw) => void usesOf(definition, raw),
    }),
    check('round-trip', 'samples come back from their bytes', roundTrip),
    check('tombstones', 'null is no bytes, and no bytes are null', tombstones),
    check('pure', 'data is not changed, equal data gives equal bytes, and bytes stay as they were given', pure),
    check('misfits', 'data that cannot be written is refused with a DataError', misfits),
    check('garbage', 'bytes that are none of its own give data that fits, or a DataError', garbage),
  ]
}

/** Runs all checks of a converter. */
export function runConverterChecks(definition: Definition, options: ConverterOptions): Promise<readonly CheckResult[]> {
  return runChecks(converterChecks(definition, options), options.notApplicable)
}

const TOPIC = 'testkit-topic'

function usesOf(definition: Definition, raw: RawConfig): readonly Use[] {
  const config = parseConfigOrThrow(definition.config, raw)
  const uses: Use[] = []
  for (const isKey of definition.kind === 'converter' ? [true, false] : []) {
    const converter = (definition as ConverterDefinition).create(config, { isKey, logger: silent })
    uses.push({
      name: isKey ? 'for keys' : 'for values',
      from: (schema, value) => converter.fromConnectData(TOPIC, schema, value),
      to: (bytes) => converter.toConnectData(TOPIC, bytes),
    })
  }
  const headers = definition.createHeader?.(config, { logger: silent })
  if (!headers) return uses
  const forHeaders: Use = {
    name: 'for headers',
    from: (schema, value) => headers.fromConnectHeader(TOPIC, 'header', schema, value),
    to: (bytes) => headers.toConnectHeader(TOPIC, 'header', bytes),
  }
  return [...uses, forHeaders]
}

function roundTrip({ options, uses }: Subject): void {
  for (const use of uses()) {
    for (const sample of options.samples) {
      const bytes = use.from(sample.schema, sample.value)
      const came = use.to(bytes)
      const [got, wanted] = [snapshot(came.value), snapshot('back' in sample ? sample.back : sample.value)]
      expectThat(got === wanted, `${use.name}: ${wanted} came back as ${got}`)
      const problem = misfit(came.schema, came.value, 'what came back')
      expectThat(problem === undefined, `${use.name}: ${problem}`)
    }
  }
}

function tombstones({ uses }: Subject): void {
  for (const use of uses()) {
    if (use.name !== 'for headers') {
      expectThat(use.from(null, null) === null, `${use.name}: null became bytes, so tombstones would be lost`)
    }
    const { value } = use.to(null)
    expectThat(value === null, `${use.name}: no bytes became ${snapshot(value)} instead of null`)
  }
}

function pure({ options, uses }: Subject): void {
  for (const use of uses()) {
    const written: { bytes: Uint8Array; text: string }[] = []
    for (const { schema, value } of [...options.samples, ...options.samples]) {
      const before = snapshot(value)
      const bytes = use.from(schema, value)
      expectThat(snapshot(value) === before, `${use.name}: the value was changed`)
      if (bytes) written.push({ bytes, text: snapshot(bytes) })
    }
    const changed = written.some(({ bytes, text }) => snapshot(bytes) !== text)
    expectThat(!changed, `${use.name}: bytes that were given change with later calls`)
    const half = written.length / 2
    const differs = written.slice(0, half).some(({ text }, index) => written[half + index]?.text !== text)
    expectThat(!differs, `${use.name}: equal data gave different bytes`)
  }
}

function misfits({ options, uses }: Subject): void {
  for (const use of uses()) {
    for (const { schema, value } of assortedData()) expectDataError(use, () => void use.from(schema, value))
    for (const { schema, value } of options.misfits ?? []) {
      const thrown = expectDataError(use, () => void use.from(schema, value))
      expectThat(thrown, () => `${use.name}: ${snapshot(value)} was written, although it does not fit`)
    }
  }
}

const GARBAGE = 300
const LENGTH_MAX = 40

function garbage({ options, uses }: Subject): void {
  if (options.samples.length === 0) notApplicable('the options have no `samples`')
  const random = seeded(options.seed ?? 1)
  for (const use of uses()) {
    const own = options.samples.map(({ schema, value }) => use.from(schema, value) ?? new Uint8Array())
    for (let round = 0; round < GARBAGE; round++) {
      // Half of it is chance, half what the converter wrote with one byte changed or cut off.
      const base = Uint8Array.from(own[round % own.length] ?? [])
      const bytes =
        round % 2 === 0 ? Uint8Array.from({ length: random.below(LENGTH_MAX) }, () => random.below(256)) : base
      if (round % 2 === 1 && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
      const cut = round % 4 === 3 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
      expectDataError(use, () => {
        const { schema, value } = use.to(cut)
        const problem = misfit(schema, value, 'the value')
        expectThat(problem === undefined, `${use.name}: ${snapshot(cut)} became data that does not fit: ${problem}`)
      })
    }
  }
}

/** Whether it threw a DataError; any other error fails the check. */
function expectDataError(use: Use, run: () => void): boolean {
  try {
    run()
    return false
  } catch (error) {
    if (isConnectError(error) && error.code === 'DATA') return true
    throw new Error(`${use.name}: what does not fit has to throw a DataError, it threw ${messageOf(error)}`, {
      cause: error,
    })
  }
}
