import {
  defineConfig,
  definePredicate,
  defineTransformation,
  defineConverter,
  type PluginManifest,
} from '@millrace/sdk'
import { expect, test } from 'vitest'
import { PluginRegistry } from '../../../../src/connect/plugins/plugin-registry.ts'
import { silentLogger } from '../../../../src/base/index.ts'
import { PacedLogs } from '../../../../src/connect/worker/paced-logs.ts'
import { SimClock } from '../../../simulation/sim-clock.ts'
import { createChain, createConverters } from '../../../../src/connect/worker/task-plugins.ts'

const config = defineConfig({})
const nothing = {
  fromConnectData: () => null,
  toConnectData: () => ({ schema: null, value: null }),
  fromConnectHeader: () => null,
  toConnectHeader: () => ({ schema: null, value: null }),
}
const made: string[] = []

/** A transformation, predicate and converter of one version, which say that they were made. */
function plugins(version: string): readonly PluginManifest[] {
  const note = (what: string) => void made.push(`${what} ${version}`)
  const definitions = [
    defineTransformation({
      name: 'T',
      doc: 'd',
      version,
      config,
      create: () => (note('T'), { apply: (record) => record }),
    }),
    definePredicate({ name: 'P', doc: 'd', version, config, create: () => (note('P'), { test: () => true }) }),
    defineConverter({
      name: 'C',
      doc: 'd',
      version,
      config,
      create: () => (note('C'), nothing),
      createHeader: () => (note('H'), nothing),
    }),
  ]
  return definitions.map((definition) => ({
    kind: definition.kind,
    name: definition.name,
    aliases: [],
    version,
    title: '',
    summary: '',
    stability: 'stable' as const,
    load: () => Promise.resolve({ default: definition }),
  }))
}

const logs = new PacedLogs(silentLogger, new SimClock())
const registry = new PluginRegistry([...plugins('1.0.0'), ...plugins('2.0.0')], [])

test('converters, transformations and predicates are of the versions that their own keys ask for, else the newest', async () => {
  const connector = {
    transforms: 'a,b',
    'transforms.a.type': 'T',
    'transforms.a.plugin.version': '[1,2)',
    'transforms.a.predicate': 'p',
    'transforms.b.type': 'T',
    predicates: 'p',
    'predicates.p.type': 'P',
    'predicates.p.plugin.version': '1.0.0',
    'value.converter': 'C',
    'value.converter.plugin.version': '1.0.0',
  }
  const worker = { 'key.converter': 'C', 'header.converter': 'C', 'header.converter.plugin.version': '(,2.0.0)' }
  await createChain(registry, connector, logs)
  await createConverters(registry, connector, worker, logs)
  expect(made).toEqual(['P 1.0.0', 'T 1.0.0', 'T 2.0.0', 'C 2.0.0', 'C 1.0.0', 'H 1.0.0'])
  const none = { ...connector, 'transforms.b.plugin.version': '3.0' }
  await expect(createChain(registry, none, logs)).rejects.toThrow(
    'version range [3.0,3.0], available versions: [1.0.0, 2.0.0]',
  )
})
