import {
  type ConnectRecord,
  isConnectError,
  parseConfigOrThrow,
  type PredicateDefinition,
  type RawConfig,
  type SourceRecord,
  type Transform,
  type Transformation,
} from '@millrace/sdk'
import { assortedRecords, sourceRecord } from './assorted.ts'
import { type Check, type CheckResult, expectThat, messageOf, notApplicable, runChecks } from './check.ts'
import { silent } from './connector-tasks.ts'
import { type DefinitionCheck, definitionChecks } from './definition-checks.ts'
import { leakCheck } from './leaks.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import type { PluginOptions } from './options.ts'
import { misfit } from './record-shape.ts'
import { snapshot } from './snapshot.ts'

/** The checks of a transformation or a predicate. */
export type TransformCheck =
  | DefinitionCheck
  | 'samples'
  | 'pure'
  | 'coordinates'
  | 'schemas'
  | 'errors'
  | 'plan'
  | 'start-stop'

/** A record and what has to become of it. */
export interface TransformSample {
  readonly record: Partial<ConnectRecord>
  /** The parts that are looked at; null where the record is dropped, or a predicate is false. */
  readonly becomes: Partial<ConnectRecord> | null
}

export interface TransformOptions extends PluginOptions<TransformCheck> {
  readonly config: RawConfig
  readonly samples?: readonly TransformSample[]
}

type Definition = Transformation | PredicateDefinition

interface Subject {
  readonly definition: Definition
  readonly options: TransformOptions
}

/** The checks of a transformation or a predicate, to be run one by one. */
export function transformChecks(definition: Definition, options: TransformOptions): readonly Check<TransformCheck>[] {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const subject: Subject = { definition, options }
  const check = (name: TransformCheck, title: string, run: (subject: Subject) => void) => ({
    name,
    title,
    run: async () => run(subject),
  })
  return [
    ...definitionChecks(definition, options, {
      open: async () => ({ config: options.config }),
      use: async (raw) => create(definition, raw).close?.(),
    }),
    check('samples', 'records become what the options say', samples),
    check('pure', 'records that come in are not changed, and equal records become equal ones', pure),
    check('coordinates', 'offsets and source partitions stay as they are', coordinates),
    check('schemas', 'what comes out fits its schema, and schemas are made once', outputFits),
    check('errors', 'what does not fit is refused with a DataError, also records without a value', errors),
    check('plan', 'a plan of structs gives what `apply` gives', plan),
    {
      name: 'start-stop',
      title: `${limits.starts} lives leave nothing behind`,
      run: () =>
        leakCheck(limits, async () => {
          const transform = create(definition, options.config)
          for (const record of assortedRecords()) attempt(transform, record)
          transform.close?.()
          return transform
        }),
    },
  ]
}

/** Runs all checks of a transformation or a predicate. */
export function runTransformChecks(definition: Definition, options: TransformOptions): Promise<readonly CheckResult[]> {
  return runChecks(transformChecks(definition, options), options.notApplicable)
}

/** A predicate is looked at as the transformation that keeps what it is true for. */
function create(definition: Definition, raw: RawConfig): Transform {
  const config = parseConfigOrThrow(definition.config, raw)
  if (definition.kind === 'transformation') return definition.create(config, { logger: silent })
  const predicate = definition.create(config, { logger: silent })
  return {
    apply(record) {
      const answer: unknown = predicate.test(record)
      expectThat(typeof answer === 'boolean', `the predicate answers ${String(answer)}, which is no boolean`)
      return answer ? record : null
    },
    close: () => predicate.close?.(),
  }
}

type Attempt = { readonly result: ConnectRecord | null } | { readonly error: unknown }

function attempt(transform: Transform, record: ConnectRecord): Attempt {
  try {
    return { result: transform.apply(record) }
  } catch (error) {
    return { error }
  }
}

function samples({ definition, options }: Subject): void {
  if (!options.samples?.length) notApplicable('the options have no `samples`')
  const transform = create(definition, options.config)
  for (const [index, { record, becomes }] of options.samples.entries()) {
    const result = transform.apply(sourceRecord(record, index))
    if (becomes === null || result === null) {
      expectThat(becomes === result, `sample ${index} was ${result === null ? 'dropped' : 'kept'}`)
      continue
    }
    for (const part of Object.keys(becomes) as (keyof ConnectRecord)[]) {
      const [got, wanted] = [snapshot(result[part]), snapshot(becomes[part])]
      expectThat(got === wanted, `sample ${index} has the ${part} ${got} instead of ${wanted}`)
    }
  }
  transform.close?.()
}

function pure({ definition, options }: Subject): void {
  const transform = create(definition, options.config)
  const [records, twins] = [assortedRecords(), assortedRecords()]
  for (const [index, record] of records.entries()) {
    const before = snapshot(record)
    const first = attempt(transform, record)
    expectThat(snapshot(record) === before, 'the record that came in was changed')
    const twin = twins[index] as ConnectRecord
    const second = attempt(transform, twin)
    const same = 'result' in first && 'result' in second ? snapshot(first.result) === snapshot(second.result) : true
    expectThat(same && 'result' in first === 'result' in second, 'equal records become different ones')
  }
  transform.close?.()
}

const COORDINATES = [
  'sourcePartition',
  'sourceOffset',
  'offset',
  'timestampType',
  'originalTopic',
  'originalPartition',
  'originalOffset',
] as const

function coordinates({ definition, options }: Subject): void {
  const transform = create(definition, options.config)
  for (const record of assortedRecords()) {
    const tried = attempt(transform, record)
    if (!('result' in tried) || tried.result === null) continue
    for (const part of COORDINATES) {
      const before = snapshot((record as Partial<SourceRecord & Record<string, unknown>>)[part])
      const after = snapshot((tried.result as Partial<SourceRecord & Record<string, unknown>>)[part])
      expectThat(before === after, `${part} was ${before} and became ${after}`)
    }
  }
  transform.close?.()
}

function outputFits({ definition, options }: Subject): void {
  const transform = create(definition, options.config)
  for (const record of [...assortedRecords(), ...(options.samples ?? []).map((each) => sourceRecord(each.record, 0))]) {
    const [first, second] = [attempt(transform, record), attempt(transform, record)]
    if (!('result' in first) || first.result === null) continue
    const { key, keySchema, value, valueSchema, headers, topic } = first.result
    expectThat(typeof topic === 'string' && topic !== '', 'the record has lost its topic')
    const problems = [
      misfit(keySchema, key, 'key'),
      misfit(valueSchema, value, 'value'),
      ...headers.map((header) => misfit(header.schema, header.value, `header ${header.key}`)),
    ]
    const problem = problems.find((each) => each !== undefined)
    expectThat(problem === undefined, `${problem}`)
    if (!('result' in second) || second.result === null) continue
    const same = second.result.valueSchema === valueSchema && second.result.keySchema === keySchema
    expectThat(same, 'each record gets a schema object of its own: encoders are compiled for each')
  }
  transform.close?.()
}

function errors({ definition, options }: Subject): void {
  const transform = create(definition, options.config)
  for (const record of assortedRecords()) {
    const tried = attempt(transform, record)
    if (!('error' in tried)) continue
    const isData = isConnectError(tried.error) && tried.error.code === 'DATA'
    expectThat(isData, () => `a record that does not fit has to throw a DataError, it threw ${messageOf(tried.error)}`)
  }
  transform.close?.()
}

function plan({ definition, options }: Subject): void {
  const transform = create(definition, options.config)
  const { structs } = transform
  if (!structs) notApplicable('the transformation has no plan')
  const { part } = structs
  const schemaPart = part === 'key' ? 'keySchema' : 'valueSchema'
  for (const record of assortedRecords()) {
    const schema = record[schemaPart]
    const data = record[part]
    if (schema === null || data === null) continue
    const planned = structs.plan(schema)
    if (!planned) continue
    const tried = attempt(transform, record)
    expectThat('result' in tried && tried.result, 'there is a plan for a schema whose records `apply` does not take')
    const made = planned.schema.fields.map((field, index) => {
      const source = planned.sources[index]
      if (source?.from === 'whole') return [field.name, data]
      if (source?.from === 'record') return [field.name, source.read(record)]
      if (source?.from === 'constant') return [field.name, source.value]
      const value = source && (data as Readonly<Record<string, unknown>>)[source.name]
      return [field.name, source?.map ? source.map(value) : value]
    })
    const [got, wanted] = [snapshot(Object.fromEntries(made)), snapshot(tried.result[part])]
    expectThat(got === wanted, `the plan gives ${got}, apply ${wanted}`)
  }
  transform.close?.()
}
