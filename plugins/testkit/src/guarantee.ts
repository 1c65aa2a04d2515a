import type { PluginKind, PluginManifest } from '@millrace/sdk'
import type { CheckResult } from './check.ts'
import type { Guarantee } from './options.ts'
import { packageEntry, readPackage } from './package-file.ts'

/** What a connector promises: by the options, its manifest, its package.json, or at-least-once. */
export function claimedGuarantee(
  options: { readonly guarantee?: Guarantee; readonly manifest?: PluginManifest; readonly packageFile?: URL },
  kind: PluginKind,
  name: string,
): Guarantee {
  const { guarantee, manifest, packageFile } = options
  const declared = packageFile ? packageEntry(readPackage(packageFile), kind, name)?.['delivery'] : undefined
  return guarantee ?? manifest?.delivery ?? (isGuarantee(declared) ? declared : 'at-least-once')
}

function isGuarantee(value: unknown): value is Guarantee {
  return ['at-most-once', 'at-least-once', 'idempotent', 'exactly-once'].includes(value as string)
}

/** The checks that a guarantee rests on. */
const BEARING: readonly string[] = ['resume', 'delivery', 'commit', 'kill', 'duplicates', 'rebalance']

/** What the checks show of a promise. */
export interface ProvedGuarantee {
  readonly claimed: Guarantee
  /** The promise, when all checks that bear on it and apply passed; null when one failed, or none applied. */
  readonly proved: Guarantee | null
  readonly by: readonly string[]
}

/** Holds a promise against the results. */
export function provedGuarantee(claimed: Guarantee, results: readonly CheckResult[]): ProvedGuarantee {
  const bearing = results.filter(({ check, outcome }) => BEARING.includes(check) && outcome !== 'not applicable')
  const by = bearing.filter(({ outcome }) => outcome === 'passed').map(({ check }) => check)
  return { claimed, proved: by.length > 0 && by.length === bearing.length ? claimed : null, by }
}
