import { readFileSync } from 'node:fs'
import type { PluginDefinition, PluginKind, SinkConnector, SourceConnector } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { fileManifests } from '../../connectors/file/manifest.ts'
import type { ConfigInfos } from '../../src/connect/config/config-infos.ts'
import { validateConnectorConfig } from '../../src/connect/config/validate.ts'
import { converterManifests } from '../../src/connect/converters/index.ts'
import { transformManifests } from '../../transforms/index.ts'
import { runtimeConnectorConfig } from '../../src/connect/worker/runtime-config.ts'

interface Case {
  readonly config: Record<string, string>
  readonly groups: readonly string[]
  readonly names: readonly string[]
  readonly errors: Record<string, readonly string[]>
  readonly definitions: readonly (Record<string, unknown> & { name: string })[]
}

const cases = JSON.parse(readFileSync(new URL('golden/validate.json', import.meta.url), 'utf8')) as Case[]
const manifests = [...fileManifests, ...converterManifests, ...transformManifests]

async function resolve(className: string, kind?: PluginKind): Promise<PluginDefinition | undefined> {
  const manifest = manifests.find(
    (one) => (one.name === className || one.aliases.includes(className)) && (kind === undefined || one.kind === kind),
  )
  return manifest && ((await manifest.load()) as { default: PluginDefinition }).default
}

async function validate(config: Record<string, string>): Promise<ConfigInfos> {
  return await validateConnectorConfig({
    raw: config,
    plugin: (await resolve(config['connector.class'] ?? '')) as SourceConnector | SinkConnector,
    resolvePlugin: resolve,
    worker: {
      overridePolicy: { name: 'All' },
      groupId: null,
      topicCreationEnabled: true,
    },
  })
}

/** Kafka names a prefixed key without its prefix in some messages, and quotes its regex engine. */
function comparable(message: string): string {
  return message
    .replace(/for configuration (\w+\.)*([\w.]+):/, 'for configuration $2:')
    .replace(/Configuration '(\w+\.)*(\w+)'/, "Configuration '$2'")
    .replace(/configuration "[^"]*\.(\w+)"/, 'configuration "$1"')
    .replace(/Invalid regex: [^]*/, 'Invalid regex')
    .replace('NUMERIC, BASE64', 'BASE64, NUMERIC')
    .replace(/available versions: .*/, '')
    .replace(/Plugin [\w.]+/, 'Plugin')
}

/** The order of a converter's options is that of a hash map in Kafka. */
function order(names: readonly string[]): readonly string[] {
  const isOption = (name: string) => /converter\.(?!plugin)/.test(name)
  return [...names.filter((name) => !isOption(name)), ...names.filter(isOption).toSorted()]
}

/** Errors that only Millrace reports, or reports in other words, and why. */
function isDeliberate(key: string, config: Record<string, string>): boolean {
  // Short names of nested classes are understood here.
  if (config['transforms.a.type'] === 'InsertField$Value') return true
  // No transformation is called ReplaceField, so the class is not found; Kafka finds an abstract one.
  if (config['transforms.a.type'] === 'org.apache.kafka.connect.transforms.ReplaceField') return true
  // Undefined predicates and bad topic creation values fail later in Kafka.
  if (key.endsWith('.predicate') || key.startsWith('topic.creation.')) return key !== 'topic.creation.groups'
  // Exactly-once sources are refused, because nothing provides them yet.
  if (/^(exactly\.once|transaction\.boundary|offsets\.storage)/.test(key)) return true
  // A transformation that cannot be created is found at once.
  if (key === 'transforms.a.type') return Object.keys(config).filter((k) => k.startsWith('transforms.a.')).length === 1
  // Kafka refuses the class too when its version does not exist, and then looks no further.
  return key === 'connector.class'
}

describe('validation answers as Kafka 4.3.1', () => {
  for (const { config, names, errors, groups } of cases) {
    test(JSON.stringify(config), async () => {
      const infos = await validate(config)
      for (const info of infos.configs) {
        const { name } = info.value
        if (isDeliberate(name, config)) continue
        // A value that does not parse has one message here; Kafka adds that null is no legal value.
        const expected = (errors[name] ?? []).slice(0, 1).map(comparable)
        expect([name, info.value.errors.map(comparable)]).toEqual([name, expected])
      }
      for (const key of Object.keys(errors)) {
        if (!isDeliberate(key, config)) expect(infos.configs.map((info) => info.value.name)).toContain(key)
      }
      if (Object.keys(config).some((key) => isDeliberate(key, config)) && config['connector.plugin.version']) return
      const ours = infos.configs
        .map((info) => info.value.name)
        .filter((name) => !name.startsWith('topic.creation.') && !(name in runtimeConnectorConfig))
      const theirs = names.filter((name) => !/converter\.type$|^topic\.creation\./.test(name))
      if (!isDeliberate('transforms.a.type', config)) expect(order(ours)).toEqual(order(theirs))
      const ownGroups = infos.groups.filter((group) => !group.startsWith('Topic Creation:'))
      expect(ownGroups.toSorted()).toEqual(groups.toSorted())
    })
  }
})

test('the keys are defined as in Kafka', async () => {
  const ours = new Map<string, Record<string, unknown>>()
  for (const { config } of cases) {
    for (const { definition } of (await validate(config)).configs) {
      if (definition) ours.set(`${definition.name} ${definition.group}`, { ...definition })
    }
  }
  const compared = ['type', 'required', 'importance', 'group', 'order_in_group', 'width', 'display_name', 'dependents']
  let count = 0
  for (const theirs of cases.flatMap((one) => one.definitions)) {
    const own = ours.get(`${theirs.name} ${String(theirs['group'])}`)
    // Two transformations have a key of this name.
    if (!own || /converter\.encoding$|^transforms\.a\.replacement$/.test(theirs.name)) continue
    count++
    // The place of a transformation's key depends on which transformation the alias names.
    const isAliased = /^(transforms|predicates)\./.test(theirs.name)
    const pick = (from: Record<string, unknown>) =>
      compared.map((key) => [key, isAliased && key === 'order_in_group' ? null : from[key]])
    expect([theirs.name, pick(own)]).toEqual([theirs.name, pick(theirs)])
    if (!/plugin\.version$|\.converter$/.test(theirs.name)) {
      expect([theirs.name, own['default_value']]).toEqual([theirs.name, theirs['default_value']])
    }
  }
  expect(count).toBeGreaterThan(50)
})
