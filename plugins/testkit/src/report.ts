import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type PluginKind, sdkVersion } from '@millrace/sdk'
import type { CheckResult } from './check.ts'
import { type ProvedGuarantee, provedGuarantee } from './guarantee.ts'
import type { Guarantee } from './options.ts'
import { packageEntries, readPackage } from './package-file.ts'
import { testkitVersion } from './testkit-version.ts'

/** What the checks say of one plugin. */
export interface PluginConformance {
  readonly kind: PluginKind
  readonly name: string
  readonly version: string
  /** Connectors only. */
  readonly guarantee?: ProvedGuarantee
  readonly seed: number
  readonly passed: number
  readonly failed: number
  readonly notApplicable: number
  readonly checks: readonly CheckResult[]
}

/** The content of `conformance.json`: equal for equal results, so that it can be kept under version control. */
export interface ConformanceReport {
  readonly conformance: 1
  readonly package: { readonly name: string; readonly version: string }
  readonly sdk: string
  readonly testkit: string
  readonly plugins: readonly PluginConformance[]
}

/** The results of one plugin as the report has them. */
export function conformanceOf(
  plugin: { readonly kind: PluginKind; readonly name: string; readonly version: string },
  results: readonly CheckResult[],
  seed: number,
  claimed?: Guarantee,
): PluginConformance {
  const count = (outcome: CheckResult['outcome']) => results.filter((result) => result.outcome === outcome).length
  const { kind, name, version } = plugin
  return {
    kind,
    name,
    version,
    ...(claimed === undefined ? {} : { guarantee: provedGuarantee(claimed, results) }),
    seed,
    passed: count('passed'),
    failed: count('failed'),
    notApplicable: count('not applicable'),
    checks: results,
  }
}

/**
 * Writes the results of one plugin into the `conformance.json` beside package.json. Those of other plugins of the
 * package stay, those of plugins that are gone go.
 */
export function writeConformance(packageFile: URL, plugin: PluginConformance): void {
  const json = readPackage(packageFile)
  const file = new URL('conformance.json', packageFile)
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<ConformanceReport>) : {}
  const isSame = (other: { kind?: unknown; name?: unknown }) => other.kind === plugin.kind && other.name === plugin.name
  const declared = packageEntries(json)
  const others = (before.plugins ?? []).filter(
    (other) => !isSame(other) && declared.some((entry) => entry['kind'] === other.kind && entry['name'] === other.name),
  )
  const report: ConformanceReport = {
    conformance: 1,
    package: { name: String(json['name']), version: String(json['version']) },
    sdk: sdkVersion,
    testkit: testkitVersion,
    plugins: [...others, plugin].toSorted((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1)),
  }
  // A reader never sees half of it.
  const partial = new URL(`conformance.json.${process.pid}`, packageFile)
  writeFileSync(partial, `${JSON.stringify(report, undefined, 2)}\n`)
  renameSync(partial, file)
}
