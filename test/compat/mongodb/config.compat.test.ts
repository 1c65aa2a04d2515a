import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigDef } from '@millrace/sdk'
import { sinkConfig } from '../../../connectors/mongodb/sink-config.ts'
import { sourceConfig } from '../../../connectors/mongodb/source-config.ts'
import { mongoConnectorMissing } from '../../services/kafka-mongodb.ts'
import { compareConfigs } from './compare-configs.ts'
import { ADDED, configCases } from './config-cases.ts'
import { Side } from './harness.ts'

const missing = mongoConnectorMissing() !== null

describe.skipIf(missing)('configurations are taken and refused as by the MongoDB Kafka connector', () => {
  let side: Side | undefined

  beforeAll(async () => {
    if (!missing) side = await Side.start()
  })
  afterAll(async () => {
    await side?.stop()
  })

  test('value by value', async () => {
    const { compared, differences } = await compareConfigs(side!.server)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(400)
  })
})

test.each([
  ['sink', sinkConfig],
  ['source', sourceConfig],
] as const)('every option of the %s has values', (side, definition: ConfigDef) => {
  const keys = new Set(configCases(side).flatMap(({ options }) => Object.keys(options)))
  // Any text will do for the paths of fields.
  const isPath = (key: string): boolean =>
    /^namespace\.mapper\..*\.field$|^document\.id\.strategy\.partial\.|^timeseries\./.test(key)
  expect(Object.keys(definition).filter((key) => !keys.has(key) && !ADDED.has(key) && !isPath(key))).toEqual([])
})
