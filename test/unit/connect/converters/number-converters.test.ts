import { type ConverterDefinition, DataError, schemas } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { converterManifests } from '../../../../src/connect/converters/index.ts'
import { numberConverters } from '../../../../src/connect/converters/number-converters.ts'

function create(name: string) {
  const definition = numberConverters.get(name) as unknown as ConverterDefinition
  return definition.create({}, { isKey: true, logger: silentLogger })
}

describe('one value as bytes', () => {
  test.each([
    ['Short', schemas.int16, -2, 'fffe'],
    ['Integer', schemas.int32, 1, '00000001'],
    ['Long', schemas.int64, -1n, 'ffffffffffffffff'],
    ['Float', schemas.float32, 1.5, '3fc00000'],
    ['Double', schemas.float64, -0.5, 'bfe0000000000000'],
    ['Boolean', schemas.boolean, true, '01'],
  ])('%s', (name, schema, value, hex) => {
    const converter = create(name)
    const bytes = converter.fromConnectData('t', schema, value)
    expect(Buffer.from(bytes ?? []).toString('hex')).toBe(hex)
    expect(converter.toConnectData('t', bytes)).toMatchObject({ schema: { type: schema.type, optional: true }, value })
    expect(converter.fromConnectData('t', null, value)).toEqual(bytes)
    expect(converter.fromConnectData('t', schema, null)).toBeNull()
    expect(converter.toConnectData('t', null).value).toBeNull()
    expect(() => converter.toConnectData('t', Buffer.alloc(9))).toThrow(DataError)
    expect(() => converter.fromConnectData('t', null, 'x')).toThrow(DataError)
    expect(() => converter.fromConnectData('t', schemas.string, 'x')).toThrow(
      `Invalid schema type for ${name}Converter: STRING`,
    )
  })

  test('what does not fit is refused', () => {
    expect(() => create('Short').fromConnectData('t', null, 40000)).toThrow(DataError)
    expect(() => create('Integer').fromConnectData('t', null, 1.5)).toThrow(DataError)
    expect(() => create('Long').fromConnectData('t', null, 2n ** 63n)).toThrow(DataError)
    expect(() => create('Boolean').toConnectData('t', Buffer.from([2]))).toThrow(DataError)
  })
})

test('every manifest loads the plugin that it names', async () => {
  for (const manifest of converterManifests) {
    const { default: definition } = (await manifest.load()) as { default: ConverterDefinition }
    expect(definition).toMatchObject({ name: manifest.name, kind: manifest.kind, aliases: manifest.aliases })
    expect(definition.version).toBe(manifest.version)
  }
})
