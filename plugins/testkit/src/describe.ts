import type {
  ConfigDef,
  ConverterDefinition,
  HeaderConverterDefinition,
  PluginDefinition,
  PredicateDefinition,
  SinkConnector,
  SourceConnector,
  Transformation,
} from '@millrace/sdk'
import { afterAll, describe, test } from 'vitest'
import { type Check, type CheckResult, runCheck, waive } from './check.ts'
import { claimedGuarantee } from './guarantee.ts'
import type { Guarantee, PluginOptions, SinkOptions, SourceOptions } from './options.ts'
import { converterChecks, type ConverterOptions } from './converter-checks.ts'
import { conformanceOf, writeConformance } from './report.ts'
import { sinkChecks } from './sink-checks.ts'
import { sourceChecks } from './source-checks.ts'
import { transformChecks, type TransformOptions } from './transform-checks.ts'

/** A test has all the time that its waits take together; each of them has a deadline of its own. */
const TEST_TIMEOUT_MS = 600_000

/** Registers the checks of a source as tests of vitest. */
export function describeSource<D extends ConfigDef>(definition: SourceConnector<D>, options: SourceOptions): void {
  const source = definition as unknown as SourceConnector
  describeChecks(source, options, sourceChecks(source, options), claimedGuarantee(options, 'source', source.name))
}

/** Registers the checks of a sink as tests of vitest. */
export function describeSink<D extends ConfigDef>(definition: SinkConnector<D>, options: SinkOptions): void {
  const sink = definition as unknown as SinkConnector
  describeChecks(sink, options, sinkChecks(sink, options), claimedGuarantee(options, 'sink', sink.name))
}

/** Registers the checks of a transformation or a predicate as tests of vitest. */
export function describeTransform<D extends ConfigDef>(
  definition: Transformation<D> | PredicateDefinition<D>,
  options: TransformOptions,
): void {
  const transform = definition as unknown as Transformation | PredicateDefinition
  describeChecks(transform, options, transformChecks(transform, options))
}

/** Registers the checks of a converter, or of a converter of headers, as tests of vitest. */
export function describeConverter<D extends ConfigDef>(
  definition: ConverterDefinition<D> | HeaderConverterDefinition<D>,
  options: ConverterOptions,
): void {
  const converter = definition as unknown as ConverterDefinition | HeaderConverterDefinition
  describeChecks(converter, options, converterChecks(converter, options))
}

/**
 * One test a check. A check that the options call not applicable is no test, one that turns out to be so is skipped
 * with the reason. The report is written when all have run.
 */
function describeChecks<Name extends string>(
  definition: PluginDefinition,
  options: PluginOptions<Name>,
  checks: readonly Check<Name>[],
  claimed?: Guarantee,
): void {
  describe(definition.name, () => {
    const results = new Map<string, CheckResult>()
    for (const check of checks) {
      const waived = options.notApplicable?.[check.name]
      if (waived !== undefined) {
        results.set(check.name, waive(check, waived))
        continue
      }
      test(`${check.name}: ${check.title}`, { timeout: TEST_TIMEOUT_MS }, async (context) => {
        const { error, ...result } = await runCheck(check)
        results.set(check.name, result)
        if (result.outcome === 'not applicable') context.skip(result.reason)
        if (error !== undefined) throw error
      })
    }
    afterAll(() => {
      const all = checks.flatMap(({ name }) => results.get(name) ?? [])
      // A run of some tests only must not take the results of the others away.
      if (!options.packageFile || all.length < checks.length) return
      writeConformance(options.packageFile, conformanceOf(definition, all, options.seed ?? 1, claimed))
    })
  })
}
