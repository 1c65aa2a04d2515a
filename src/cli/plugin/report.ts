import type { Provenance } from '../../connect/index.ts'
import type { AddReport } from './add-plugin.ts'
import type { AuditedPackage } from './audit-plugins.ts'
import type { Conformance, ListedPackage } from './list-plugins.ts'
import type { BundleReport } from './make-bundle.ts'
import type { RemoveReport } from './remove-plugin.ts'

/** What `plugin add` tells of a package. */
export function addText({ entry, manifest, notes, added }: AddReport, directory: string): string {
  const { name, version, integrity, signature, provenance } = entry
  const head = added
    ? `added ${name} ${version} to ${directory}`
    : `${name} ${version} is installed already in ${directory}`
  const facts = manifest.plugins.map(
    ({ kind, name: one, delivery }) => `${kind} ${one}${delivery ? ` (${delivery})` : ''}`,
  )
  facts.push(`integrity ${integrity}`)
  if (entry.source.type === 'registry') facts.push(`registry signature: ${signature}`)
  facts.push(`${provenanceText(provenance)}: ${provenance.detail}`)
  return [head, ...[...facts, ...notes.map((note) => `note: ${note}`)].map((line) => `  ${line}`)].join('\n')
}

/** What `plugin list` tells of a directory. */
export function listText(packages: readonly ListedPackage[], directory: string): string {
  if (packages.length === 0) return `there are no plugins in ${directory}`
  return packages
    .flatMap((one) => [`${one.name} ${one.version}  ${stateOf(one)}`.trimEnd(), ...detailsOf(one)])
    .join('\n')
}

function stateOf({ changes, entry }: ListedPackage): string {
  if (changes === null) return 'not installed by millrace plugin'
  const files = changes.length === 0 ? 'files as installed' : `CHANGED: ${changes.length} files`
  return entry === null ? files : `${files}, ${provenanceText(entry.provenance)}`
}

function provenanceText({ state }: Provenance): string {
  return state === 'verified' || state === 'unverified' ? `provenance ${state}` : 'no provenance'
}

function detailsOf({ plugins, problems, changes }: ListedPackage): readonly string[] {
  const lines = plugins.map(({ kind, name, delivery, conformance }) => {
    const claim = delivery === undefined ? '' : `, claims ${delivery}`
    return `  ${kind} ${name}${claim}${proofText(conformance)}`
  })
  const few = (changes ?? []).slice(0, MAX_CHANGES).map((change) => `  ! ${change}`)
  return [...lines, ...problems.map((problem) => `  ! left out by workers: ${problem}`), ...few]
}

function proofText(conformance: Conformance | null): string {
  if (conformance === null) return ', without a conformance report'
  const { proved, passed, failed } = conformance
  if (failed > 0) return `, FAILED ${failed} of ${passed + failed} conformance checks`
  return proved === null
    ? `, passed ${passed} conformance checks`
    : `, ${proved} proved by ${passed} conformance checks`
}

const MAX_CHANGES = 10

/** What `plugin remove` tells. */
export function removeText({ entry, asked }: RemoveReport, directory: string): string {
  const head = `removed ${entry.name} ${entry.version} from ${directory}`
  return asked ? head : `${head}; no worker was asked whether it is in use (--worker, --worker-config)`
}

/** What `plugin audit` tells. */
export function auditText(packages: readonly AuditedPackage[], directory: string): string {
  if (packages.length === 0) return `there are no plugins in ${directory}`
  return packages
    .flatMap((one) => [`${one.name} ${one.version}`, ...findingsOf(one).map((line) => `  ${line}`)])
    .join('\n')
}

function findingsOf({ changes, signatures, verified, advisories, provenance, unchecked }: AuditedPackage): string[] {
  return [
    ...(changes.length === 0 ? ['files as installed'] : []),
    ...changes.slice(0, MAX_CHANGES).map((change) => `! ${change}`),
    ...(changes.length > MAX_CHANGES ? [`! and ${changes.length - MAX_CHANGES} files more`] : []),
    ...(verified > 0 ? [`${verified} packages with a registry signature that was verified`] : []),
    ...signatures.map((line) => `! ${line}`),
    ...advisories.map(({ package: name, severity, title, url }) => `! ${severity}: ${name}: ${title} ${url}`),
    `${provenanceText(provenance)}: ${provenance.detail}`,
    ...unchecked.map((line) => `not checked: ${line}`),
  ]
}

/** What `plugin bundle` tells. */
export function bundleText({ file, name, version, bytes, integrity, platform }: BundleReport): string {
  const system = platform === null ? 'for any system' : `for ${platform} only`
  return `${file}: ${name} ${version}, ${bytes} bytes, ${system}\n  integrity ${integrity}`
}
