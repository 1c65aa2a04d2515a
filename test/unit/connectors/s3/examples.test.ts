import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { sinkManifest } from '../../../../connectors/s3/manifest.ts'
import sink from '../../../../connectors/s3/sink.ts'

const folder = new URL('../../../../connectors/s3/examples/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.json'))

test.each(examples)('%s is a legal config', (name) => {
  const { config } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  expect([sinkManifest.name, ...sinkManifest.aliases]).toContain(config['connector.class'])
  expect(parseConfig(sink.config, config).issues).toEqual([])
})

test('the definition is that of its manifest', () => {
  const { kind, name, aliases, version } = sinkManifest
  expect(sink).toMatchObject({ kind, name, aliases, version })
})
