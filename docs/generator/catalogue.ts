import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { PluginManifest } from '@millrace/sdk'
import { builtinManifests } from '../../connectors/index.ts'
import { converterManifests } from '../../src/connect/index.ts'
import { transformManifests } from '../../transforms/index.ts'
import { CONNECTOR_FOLDERS, type ConnectorFolder } from './connector-folders.ts'
import { cell, code, page, table } from './tables.ts'

/** The catalogue: every plugin that comes with Millrace, from the manifests, with what its tests say. */
export function cataloguePage(): string {
  const intro =
    'What comes with Millrace. More comes as npm packages: `millrace plugin add`, see [plugins](../operations.md#plugins). ' +
    'The guarantee is what a connector promises of each record; the tests named beside it hold it to that, most of them by ' +
    '`kill -9` of tasks, workers and servers under load.'
  const connectors = CONNECTOR_FOLDERS.map(connectorSection)
  const heads = ['class', 'other names', 'version', 'what it does']
  const kinds = (manifests: readonly PluginManifest[], kind: string): string =>
    table(heads, manifests.filter((manifest) => manifest.kind === kind).map(row))
  return page('Catalogue', intro, [
    ...connectors,
    `## Transformations\n\nOptions: [transforms](transforms.md).\n\n${kinds(transformManifests, 'transformation')}`,
    `## Predicates\n\n${kinds(transformManifests, 'predicate')}`,
    `## Converters\n\nOptions: [converters](converters.md).\n\n${table(heads, converterManifests.map(row))}`,
  ])
}

function connectorSection({ folder, classes, testedOn, provedBy, conformance }: ConnectorFolder): string {
  const manifests = classes.map((name) => {
    const manifest = builtinManifests.find((candidate) => candidate.name === name)
    if (!manifest) throw new Error(`there is no connector ${name}`)
    return manifest
  })
  const rows = manifests.map((manifest) => {
    const guarantee = manifest.delivery ?? 'none'
    const [name = '', others = '', version = '', summary = ''] = row(manifest)
    return [name, manifest.kind, guarantee, others, version, summary]
  })
  const facts = [
    `[README](../../connectors/${folder}/README.md). Tested on: ${testedOn}.`,
    `Guarantee proved by: ${provedBy.map(testLink).join(', ')}.`,
    `Acceptance suite: ${conformance.map(testLink).join(', ')}.`,
  ].join(' ')
  const heads = ['class', 'type', 'guarantee', 'other names', 'version', 'what it does']
  return `## ${folder}\n\n${facts}\n\n${table(heads, rows)}`
}

/** A link to a test, which must be there. */
function testLink(path: string): string {
  const file = `test/${path}`
  if (!existsSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)))) throw new Error(`there is no ${file}`)
  return `[${path.replace(/^.*\//, '').replace(/\..*$/, '')}](../../${file})`
}

function row({ name, aliases, version, summary }: PluginManifest): string[] {
  return [code(name), aliases.map(code).join(', ') || '-', version, cell(summary)]
}
