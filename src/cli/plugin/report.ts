import type { AddReport } from './add-plugin.ts'
import type { ListedPackage } from './list-plugins.ts'

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
  const { state, detail } = provenance
  const hasOne = state === 'verified' || state === 'unverified'
  facts.push(hasOne ? `provenance ${state}: ${detail}` : `no provenance: ${detail}`)
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
  const { state } = entry?.provenance ?? { state: 'none' }
  return `${files}, ${state === 'verified' || state === 'unverified' ? `provenance ${state}` : 'no provenance'}`
}

function detailsOf({ plugins, problems, changes }: ListedPackage): readonly string[] {
  const lines = plugins.map(({ kind, name, delivery, proved }) => {
    const claim = delivery === undefined ? '' : `, claims ${delivery}`
    return `  ${kind} ${name}${claim}${proved === null ? '' : `, proved ${proved}`}`
  })
  const few = (changes ?? []).slice(0, MAX_CHANGES).map((change) => `  ! ${change}`)
  return [...lines, ...problems.map((problem) => `  ! left out by workers: ${problem}`), ...few]
}

const MAX_CHANGES = 10
