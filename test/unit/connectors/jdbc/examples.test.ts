import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { sinkManifest, sourceManifest } from '../../../../connectors/jdbc/manifest.ts'
import sink from '../../../../connectors/jdbc/sink.ts'
import source from '../../../../connectors/jdbc/source.ts'

const folder = new URL('../../../../connectors/jdbc/examples/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.json'))

test.each(examples)('%s is a legal config of one of the two connectors', (name) => {
  const { config } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  const className = config['connector.class'] as string
  const isSink = [sinkManifest.name, ...sinkManifest.aliases].includes(className)
  expect(isSink || [sourceManifest.name, ...sourceManifest.aliases].includes(className)).toBe(true)
  const issues = isSink ? parseConfig(sink.config, config).issues : parseConfig(source.config, config).issues
  expect(issues).toEqual([])
})

test('the definitions are those of the manifests', async () => {
  for (const [manifest, definition] of [
    [sinkManifest, sink],
    [sourceManifest, source],
  ] as const) {
    expect(definition).toMatchObject({
      kind: manifest.kind,
      name: manifest.name,
      aliases: manifest.aliases,
      version: manifest.version,
    })
    expect(await manifest.load()).toMatchObject({ default: definition })
  }
})
