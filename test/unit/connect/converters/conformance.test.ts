// The acceptance suite for authors, over the converters that come with Millrace.
import {
  type ConverterDefinition,
  type HeaderConverterDefinition,
  type PluginDefinition,
  schemas,
  struct,
} from '@millrace/sdk'
import { type ConverterOptions, describeConverter } from '@millrace/testkit'
import { expect, test } from 'vitest'
import { converterManifests } from '../../../../src/connect/index.ts'

const point = struct({ x: schemas.int32, label: schemas.optional.string }, { name: 'Point' })

/** Data of each converter, by its name without package, and data that it has to refuse. */
const ROWS: Readonly<Record<string, Pick<ConverterOptions, 'samples' | 'misfits'>>> = {
  JsonConverter: {
    samples: [
      { schema: point, value: { x: 1, label: null } },
      { schema: schemas.int64, value: 9_007_199_254_740_993n },
      { schema: schemas.bytes, value: Uint8Array.of(0, 255), back: Buffer.of(0, 255) },
      { schema: null, value: { any: ['thing', 1.5, null] } },
    ],
    misfits: [{ schema: schemas.int32, value: 'text' }],
  },
  StringConverter: {
    samples: [
      { schema: schemas.string, value: 'née' },
      { schema: null, value: 12, back: '12' },
    ],
  },
  ByteArrayConverter: {
    samples: [{ schema: schemas.bytes, value: Uint8Array.of(1, 2) }],
    misfits: [{ schema: schemas.string, value: 'text' }],
  },
  BooleanConverter: {
    samples: [{ schema: schemas.boolean, value: true }],
    misfits: [{ schema: schemas.string, value: 'text' }],
  },
  DoubleConverter: { samples: [{ schema: schemas.float64, value: -0.1 }], misfits: [{ schema: null, value: 'text' }] },
  FloatConverter: { samples: [{ schema: schemas.float32, value: 0.5 }], misfits: [{ schema: null, value: 'text' }] },
  IntegerConverter: { samples: [{ schema: schemas.int32, value: -1 }], misfits: [{ schema: null, value: 'text' }] },
  LongConverter: { samples: [{ schema: schemas.int64, value: -1n }], misfits: [{ schema: null, value: 'text' }] },
  ShortConverter: { samples: [{ schema: schemas.int16, value: -1 }], misfits: [{ schema: null, value: 'text' }] },
  SimpleHeaderConverter: {
    samples: [
      { schema: schemas.string, value: 'text' },
      { schema: schemas.boolean, value: true },
      { schema: schemas.float64, value: 1.5 },
    ],
  },
}

const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

const all = await Promise.all(
  converterManifests.map(async (manifest) => ({
    manifest,
    definition: ((await manifest.load()) as { default: PluginDefinition }).default as
      | ConverterDefinition
      | HeaderConverterDefinition,
  })),
)

for (const { manifest, definition } of all) {
  const row = ROWS[shortName(definition.name)]
  if (!row) continue
  const hasInvalid = Object.values(definition.config).some((key) => key.oneOf || key.type !== 'string')
  describeConverter(definition, {
    ...row,
    config: {},
    manifest,
    notApplicable: {
      'required-config': 'no key is required',
      ...(hasInvalid ? {} : { 'invalid-config': 'every value is valid, or there are no keys' }),
    },
  })
}

test('every converter has data', () => {
  expect(all.map(({ definition }) => shortName(definition.name)).filter((name) => !ROWS[name])).toEqual([])
})
