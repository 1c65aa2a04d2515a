import type { ConfigDef, ConfigKey, PluginDefinition, PluginManifest } from '@millrace/sdk'
import { builtinManifests } from '../connectors/index.ts'
import { converterManifests } from '../src/connect/index.ts'
import { transformManifests } from '../transforms/index.ts'

const NOTE = '<!-- Made by `npm run docs` from the definitions in the code. -->'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function defaultOf(key: ConfigKey): string {
  if (!('default' in key) || key.default === undefined) return 'required'
  if (key.default === null) return '-'
  const text = Array.isArray(key.default) ? key.default.join(',') : String(key.default)
  return text === '' ? '""' : `\`${text}\``
}

/** A configuration as a table, in the order of its definition. */
export function configTable(config: ConfigDef): string {
  const keys = Object.entries(config)
  if (keys.length === 0) return 'No options.'
  const rows = keys.map(([name, key]) => {
    const values = key.oneOf ? ` One of: ${key.oneOf.join(', ')}.` : ''
    return `| \`${name}\` | ${key.type} | ${cell(defaultOf(key))} | ${key.importance} | ${cell(key.doc + values)} |`
  })
  return `| key | type | default | importance | meaning |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}`
}

async function load(manifest: PluginManifest): Promise<PluginDefinition & { doc?: string }> {
  return ((await manifest.load()) as { default: PluginDefinition }).default
}

function names(manifest: PluginManifest): string {
  const all = [manifest.name, ...manifest.aliases].map((name) => `\`${name}\``)
  return `Class: ${all.join(', ')}.`
}

async function section(manifest: PluginManifest): Promise<string> {
  const definition = await load(manifest)
  const delivery = manifest.delivery ? ` Delivery: ${manifest.delivery}.` : ''
  const head = `## ${manifest.title}\n\n${manifest.summary}\n\n${names(manifest)}${delivery}`
  return `${head}\n\n${configTable(definition.config)}\n`
}

async function page(title: string, intro: string, manifests: readonly PluginManifest[]): Promise<string> {
  const sections: string[] = []
  for (const manifest of manifests) sections.push(await section(manifest))
  return `${NOTE}\n\n# ${title}\n\n${intro}\n\n${sections.join('\n')}`
}

/** All generated pages: path and content. */
export async function reference(): Promise<Map<string, string>> {
  const connectors = 'Options of each connector. What every connector has beside them is in [connector](connector.md).'
  const transforms = 'Single message transforms and predicates. A class `X$Key` works on the key, `X$Value` on the value.'
  return new Map([
    ['docs/reference/connectors.md', await page('Connectors', connectors, builtinManifests)],
    ['docs/reference/transforms.md', await page('Transforms and predicates', transforms, transformManifests)],
    ['docs/reference/converters.md', await page('Converters', 'Between Connect data and bytes.', converterManifests)],
  ])
}
