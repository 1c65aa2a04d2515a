import { type Converter, parseConfigOrThrow, type SinkRecord, type Transform } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import json from '../../../../src/connect/converters/json/json-converter.ts'
import { SKIPPED, type ErrorOperator } from '../../../../src/connect/worker/error-operator.ts'
import { SinkPipeline } from '../../../../src/connect/worker/sink-pipeline.ts'
import { TransformationChain } from '../../../../src/connect/worker/transformation-chain.ts'

const converter = (schemas: boolean): Converter =>
  json.create(parseConfigOrThrow(json.config, { 'schemas.enable': String(schemas) }), {
    isKey: false,
    logger: silentLogger,
  })

interface Setting {
  readonly readsJsonValue?: boolean
  readonly schemas?: boolean
  readonly steps?: ConstructorParameters<typeof TransformationChain<SinkRecord>>[0]
}

/** The records of values, and the stages in which something failed. */
async function convert(values: readonly (string | null)[], setting: Setting = {}) {
  const failed: string[] = []
  const value = converter(setting.schemas ?? false)
  const errors: Pick<ErrorOperator, 'run'> = {
    async run(about, operation) {
      try {
        return await operation()
      } catch {
        failed.push(about.stage)
        return SKIPPED
      }
    },
  }
  const pipeline = new SinkPipeline({
    chain: new TransformationChain<SinkRecord>(setting.steps ?? []),
    converters: {
      key: value,
      value,
      header: json.createHeader!(parseConfigOrThrow(json.config, {}), { logger: silentLogger }),
      keyClass: '',
      valueClass: '',
      headerClass: '',
    },
    errors: errors as ErrorOperator,
    onReport: () => undefined,
    onDropped: () => undefined,
    origins: null,
    readsJsonValue: setting.readsJsonValue ?? true,
  })
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  const records = await pipeline.convert(
    values.map((each, offset) => ({
      topic: 't',
      partition: 3,
      offset,
      timestamp: offset - 1,
      key: bytes('"k"'),
      value: bytes(each),
      headers: [],
    })),
  )
  return { records, failed }
}

const textOf = (record: SinkRecord | undefined): string | null => {
  const text = record?.jsonValue?.()
  return text ? Buffer.from(text).toString() : null
}

test('a sink that reads JSON gets the text of objects, and the same record as others', async () => {
  const texts = ['{"a":9007199254740993,"b":[1.0]}', '{"a": 1}', '[1]', 'null', null, '{"a":1,"a":2}']
  const { records } = await convert(texts)
  expect(records.map(textOf)).toEqual([texts[0], null, null, null, null, null])
  const plain = (await convert(texts, { readsJsonValue: false })).records
  expect(plain.map(textOf)).toEqual(texts.map(() => null))
  for (const [index, record] of plain.entries()) {
    for (const name of Object.keys(record) as (keyof SinkRecord)[]) {
      expect([name, records[index]?.[name]]).toEqual([name, record[name]])
    }
  }
  expect(plain[0]?.value).toEqual({ a: 9007199254740993n, b: [1] })
})

test('text is not handed on where there are schemas or transformations', async () => {
  const envelope = '{"schema":{"type":"int32"},"payload":1}'
  expect(textOf((await convert([envelope], { schemas: true })).records[0])).toBeNull()
  const transform: Transform = { apply: (record) => ({ ...record, topic: 'other' }) }
  const step = { alias: 'a', className: 'A', transform, predicate: null, negate: false }
  const { records } = await convert(['{"a":1}'], { steps: [step] })
  expect(records[0]).toMatchObject({ topic: 'other', originalTopic: 't', value: { a: 1 } })
})

test('what is no JSON fails in the converter, whatever the sink reads', async () => {
  const { records, failed } = await convert(['{"a":1}', '{"a":}', '{"a":2}'])
  expect(records.map(({ offset }) => offset)).toEqual([0, 2])
  expect(failed).toEqual(['VALUE_CONVERTER'])
})
