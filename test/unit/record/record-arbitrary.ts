import fc from 'fast-check'
import { BatchBuilder, type BatchOptions, CODECS, type RecordHeader } from '../../../src/record/index.ts'

export interface TestRecord {
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: RecordHeader[]
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))

export const recordArbitrary: fc.Arbitrary<TestRecord> = fc.record({
  timestamp: fc.oneof(
    fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }),
    fc.constantFrom(-1, 0, 2 ** 52, 253_402_300_799_999),
  ),
  key: fc.option(bytes(40), { nil: null }),
  value: fc.option(bytes(300), { nil: null }),
  headers: fc.array(
    fc.record({ key: fc.string({ maxLength: 10, unit: 'grapheme' }), value: fc.option(bytes(20), { nil: null }) }),
    { maxLength: 3 },
  ),
})

export const recordsArbitrary = fc.array(recordArbitrary, { minLength: 1, maxLength: 30 })
export const codecArbitrary = fc.constantFrom(...CODECS)

export function buildBatch(records: readonly TestRecord[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder(64)
  for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers)
  return builder.build(options)
}
