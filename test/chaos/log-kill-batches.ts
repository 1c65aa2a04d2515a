import { DEFAULT_LOG_CONFIG, type Log, type LogConfig } from '../../src/log/index.ts'
import { BatchBuilder, decodeRecords } from '../../src/record/index.ts'

export const PARTITIONS = 3

/** Small segments, so that every round rolls many. */
export function killLogConfig(): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, segmentBytes: 64 * 1024, indexIntervalBytes: 512 }
}

/** Batch number `sequence` of a partition: always the same bytes. */
export function killBatch(partition: number, sequence: number): Buffer {
  const builder = new BatchBuilder(2048)
  const value = Buffer.alloc(8 + ((sequence * 37) % 900), sequence & 0xff)
  value.writeInt32BE(partition, 0)
  value.writeInt32BE(sequence, 4)
  builder.append(1_700_000_000_000 + sequence, null, value)
  return builder.build({ producerId: 1000 + partition, producerEpoch: 0, baseSequence: sequence })
}

/** The batch numbers in a log, in order; throws when a read fails. */
export function readValues(log: Log): number[] {
  const numbers: number[] = []
  for (let offset = log.logStartOffset; offset < log.highWatermark; ) {
    const { records, error } = log.read(offset, 1 << 20)
    if (error) throw new Error(`read at ${offset} of partition ${log.partition}: ${error}`)
    for (const record of decodeRecords(records)) {
      numbers.push(record.value!.readInt32BE(4))
      offset = record.offset + 1
    }
  }
  return numbers
}
