import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig, type SinkConnector, type SourceConnector } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { spooldirManifests } from '../../../../connectors/spooldir/manifest.ts'

const folder = new URL('../../../../connectors/spooldir/examples/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.json'))

test.each(examples)('%s is a legal config', async (name) => {
  const { config } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  const className = config['connector.class'] as string
  const manifest = spooldirManifests.find((each) => [each.name, ...each.aliases].includes(className))
  const loaded = (await manifest?.load()) as { default: SourceConnector | SinkConnector } | undefined
  expect(loaded && parseConfig(loaded.default.config, config).issues).toEqual([])
})

test.each(spooldirManifests.map((manifest) => [manifest.name, manifest] as const))(
  'the definition of %s is that of its manifest',
  async (_name, manifest) => {
    const { kind, name, aliases, version } = manifest
    expect(await manifest.load()).toMatchObject({ default: { kind, name, aliases, version } })
  },
)
