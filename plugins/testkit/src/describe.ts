import type { ConfigDef, PluginDefinition, SinkConnector, SourceConnector } from '@millrace/sdk'
import { afterAll, describe, test } from 'vitest'
import { type Check, type CheckResult, runCheck } from './check.ts'
import { claimedGuarantee } from './guarantee.ts'
import type { Guarantee, PluginOptions, SinkOptions, SourceOptions } from './options.ts'
import { conformanceOf, writeConformance } from './report.ts'
import { sinkChecks } from './sink-checks.ts'
import { sourceChecks } from './source-checks.ts'

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

/**
 * One test a check. A check that the options call not applicable is no test, one that turns out to be so is skipped
 * with the reason. The report is written when all have run.
 */
export function describeChecks<Name extends string>(
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
        results.set(check.name, { check: check.name, title: check.title, outcome: 'not applicable', reason: waived })
        continue
      }
      test(`${check.name}: ${check.title}`, { timeout: TEST_TIMEOUT_MS }, async (context) => {
        const result = await runCheck(check)
        results.set(check.name, result)
        if (result.outcome === 'not applicable') context.skip(result.reason)
        if (result.outcome === 'failed') throw new Error(result.reason)
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
