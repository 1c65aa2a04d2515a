// The acceptance suite for authors, over the transformations and predicates that come with Millrace.
import {
  parseConfigOrThrow,
  type PluginDefinition,
  type PredicateDefinition,
  type RawConfig,
  type Transformation,
} from '@millrace/sdk'
import { describeTransform, type TransformOptions } from '@millrace/testkit'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { transformManifests } from '../../../transforms/index.ts'

type Row = { readonly config: RawConfig } & Pick<TransformOptions, 'invalid' | 'required'>

const KAFKA = 'org.apache.kafka.connect.transforms.'

/** A configuration for each that has required keys, by its name without package and part. */
const ROWS: Readonly<Record<string, Row>> = {
  Cast: { config: { spec: 'id:string,name:string' }, invalid: [{ config: { spec: 'id:no-such-type' }, key: 'spec' }] },
  DropHeaders: { config: { headers: 'trace' } },
  ExtractField: { config: { field: 'name' } },
  HeaderFrom: { config: { fields: 'name', headers: 'h', operation: 'copy' } },
  HoistField: { config: { field: 'whole' } },
  InsertField: { config: { 'static.field': 'origin', 'static.value': 'testkit' } },
  InsertHeader: { config: { header: 'origin', 'value.literal': 'testkit' } },
  MaskField: { config: { fields: 'name' } },
  RegexRouter: {
    config: { regex: 'testkit-(.*)', replacement: '$1' },
    invalid: [{ config: { regex: '(' }, key: 'regex' }],
  },
  ReplaceField: { config: { exclude: 'ratio', renames: 'name:title' } },
  SetSchemaMetadata: { config: { 'schema.name': 'renamed', 'schema.version': '2' } },
  TimestampConverter: { config: { field: 'seen', 'target.type': 'unix' } },
  ValueToKey: { config: { fields: 'id' } },
  ByLogicalTableRouter: { config: { 'topic.regex': 'testkit-(.*)', 'topic.replacement': '$1' } },
  ToLogicalTopicRouter: { config: { 'topic.regex': 'testkit-(.*)', 'topic.replacement': '$1' } },
  HasHeaderKey: { config: { name: 'trace' } },
  TopicNameMatches: { config: { pattern: 'testkit-.*' }, invalid: [{ config: { pattern: '(' }, key: 'pattern' }] },
}

const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1).replace(/\$.*/, '')

const isPlanned = (definition: Transformation, raw: RawConfig): boolean =>
  definition.create(parseConfigOrThrow(definition.config, raw), { logger: silentLogger }).structs !== undefined

const all = await Promise.all(
  transformManifests.map(async (manifest) => ({
    manifest,
    definition: ((await manifest.load()) as { default: PluginDefinition }).default as
      | Transformation
      | PredicateDefinition,
  })),
)

for (const { manifest, definition } of all) {
  const row = ROWS[shortName(definition.name)] ?? { config: {} }
  const hasKeys = Object.values(definition.config).some((key) => key.default === undefined)
  const hasInvalid =
    row.invalid !== undefined ||
    Object.values(definition.config).some(
      (key) => key.oneOf || !['string', 'list', 'class', 'password'].includes(key.type),
    )
  const hasPlan = definition.kind === 'transformation' && isPlanned(definition, row.config)
  describeTransform(definition, {
    ...row,
    manifest,
    limits: { starts: 20 },
    notApplicable: {
      samples: 'what becomes of records is held against the classes of Kafka in the tests of each transformation',
      ...(hasKeys ? {} : { 'required-config': 'no key is required' }),
      ...(hasInvalid ? {} : { 'invalid-config': 'every text is valid' }),
      ...(hasPlan ? {} : { plan: 'it is told record by record' }),
    },
  })
}

test('every row is used', () => {
  const names = new Set(all.map(({ definition }) => shortName(definition.name)))
  expect(Object.keys(ROWS).filter((name) => !names.has(name))).toEqual([])
  expect(all.filter(({ definition }) => definition.name.startsWith(KAFKA)).length).toBeGreaterThan(25)
})
