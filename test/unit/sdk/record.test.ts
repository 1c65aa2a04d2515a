import { type SinkRecord, type SourceRecord, schemas, withChanges } from '@millrace/sdk'
import { expect, test } from 'vitest'

const source: SourceRecord = {
  topic: 't',
  partition: null,
  key: 'k',
  keySchema: schemas.string,
  value: 'v',
  valueSchema: schemas.string,
  headers: [],
  timestamp: 5,
  sourcePartition: { file: 'f' },
  sourceOffset: { position: 1 },
}

test('a change leaves the rest and the source offset as they are', () => {
  expect(withChanges(source, { value: null, valueSchema: null })).toEqual({ ...source, value: null, valueSchema: null })
  expect(withChanges(source, { partition: 3 }).partition).toBe(3)
})

test('a sink record keeps where it really is', () => {
  const { sourcePartition: _partition, sourceOffset: _offset, ...common } = source
  const sink: SinkRecord = {
    ...common,
    partition: 2,
    offset: 9,
    timestampType: 'CreateTime',
    originalTopic: 't',
    originalPartition: 2,
    originalOffset: 9,
  }
  const changed = withChanges(sink, { topic: 'other', partition: 0 })
  expect(changed).toMatchObject({ topic: 'other', partition: 0, offset: 9, originalTopic: 't', originalPartition: 2 })
})

class TextRecord implements SourceRecord {
  readonly topic = 't'
  readonly partition = null
  readonly key = null
  readonly keySchema = null
  readonly valueSchema = schemas.string
  readonly headers = []
  readonly timestamp = null
  readonly sourcePartition = { p: 1 }
  readonly sourceOffset = { o: 1 }
  reads = 0

  get value(): unknown {
    this.reads++
    return 'x'
  }

  jsonText(part: 'key' | 'value'): Uint8Array | null {
    return part === 'key' ? null : Buffer.from('"x"')
  }
}

test('a change of the topic keeps the JSON text and reads no value', () => {
  const origin = new TextRecord()
  const routed = withChanges(withChanges(origin as SourceRecord, { topic: 'a' }), { partition: 4, timestamp: 7 })
  expect([routed.topic, routed.partition, routed.timestamp]).toEqual(['a', 4, 7])
  expect(Buffer.from(routed.jsonText?.('value') ?? []).toString()).toBe('"x"')
  expect(routed.jsonText?.('key')).toBeNull()
  expect([routed.sourcePartition, routed.sourceOffset]).toEqual([{ p: 1 }, { o: 1 }])
  expect(origin.reads).toBe(0)
  expect(routed.value).toBe('x')
})

test('a change of the value drops the JSON text of the old one', () => {
  const changed = withChanges(new TextRecord() as SourceRecord, { value: 'y' })
  expect(changed.jsonText).toBeUndefined()
  expect(changed.value).toBe('y')
})
