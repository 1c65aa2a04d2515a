import { readdirSync, readFileSync } from 'node:fs'
import { type ConfigDef, parseConfig } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { aivenSinkManifest, sinkManifest, sourceManifest } from '../../../../connectors/s3/manifest.ts'

const folder = new URL('../../../../connectors/s3/examples/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.json'))
const manifests = [sinkManifest, sourceManifest, aivenSinkManifest]

test.each(examples)('%s is a legal config of one of the connectors', async (name) => {
  const { config } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  const className = config['connector.class'] as string
  const manifest = manifests.find((each) => [each.name, ...each.aliases].includes(className))
  const { default: definition } = (await manifest!.load()) as { default: { config: ConfigDef } }
  expect(parseConfig(definition.config, config).issues).toEqual([])
})

test.each(manifests)('the definition of $name is that of its manifest', async (manifest) => {
  const { kind, name, aliases, version } = manifest
  expect(await manifest.load()).toMatchObject({ default: { kind, name, aliases, version } })
})
