import { BatchBuilder } from './batch-builder.ts'
import { corrupt } from './errors.ts'

/** What a transaction marker says. */
export interface ControlRecord {
  readonly type: 'abort' | 'commit'
  readonly coordinatorEpoch: number
}

const TYPES = ['abort', 'commit'] as const

/** The one-record control batch that ends a transaction: key int16 version 0, int16 type; value int16 version 0, int32 coordinator epoch. */
export function buildControlBatch(
  marker: ControlRecord,
  producerId: number,
  producerEpoch: number,
  timestamp: number,
): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(TYPES.indexOf(marker.type), 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(marker.coordinatorEpoch, 2)
  const builder = new BatchBuilder(256)
  builder.append(timestamp, key, value)
  return builder.build({ producerId, producerEpoch, transactional: true, control: true })
}

/** Reads a marker; undefined for control records of other kinds, which readers must skip. */
export function decodeControlRecord(key: Buffer | null, value: Buffer | null): ControlRecord | undefined {
  if (!key || key.length < 4) throw corrupt('a control record has no key of four bytes')
  const type = TYPES[key.readInt16BE(2)]
  if (!type) return undefined
  if (!value || value.length < 6) throw corrupt('a transaction marker has no value of six bytes')
  return { type, coordinatorEpoch: value.readInt32BE(2) }
}
