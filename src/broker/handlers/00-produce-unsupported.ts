/*
 * Produce (0), versions 0 to 2, which are listed in ApiVersions and not served: every partition is answered with error 35,
 * so that a client which believes the list learns why, instead of losing its connection.
 *
 * request:  acks int16 | timeout int32 | [ topic string | [ partition int32 | records bytes ] ]
 * response: [ topic string | [ partition int32 | error int16 | offset int64 | append time int64 (2) ] ] | throttle int32 (1)
 */
import { ErrorCode, Reader, Writer } from '../../protocol/index.ts'
import { type Answer, CloseConnection } from '../network/client-connection.ts'

const ARRAY_MIN_BYTES = 6
const PARTITION_MIN_BYTES = 8

/** Answers a produce request of version 0 to 2. */
export function refuseOldProduce(frame: Buffer, bodyOffset: number, version: number, correlationId: number): Answer {
  const reader = new Reader(frame, bodyOffset)
  const writer = new Writer()
  writer.start(false)
  writer.int32(0)
  writer.int32(correlationId)
  const acks = reader.int16()
  reader.int32()
  const topics = Math.max(0, reader.count(ARRAY_MIN_BYTES))
  writer.int32(topics)
  for (let i = 0; i < topics; i++) {
    writer.string(reader.string())
    const partitions = Math.max(0, reader.count(PARTITION_MIN_BYTES))
    writer.int32(partitions)
    for (let j = 0; j < partitions; j++) {
      writer.int32(reader.int32())
      reader.nullableBytes()
      writer.int16(ErrorCode.UNSUPPORTED_VERSION)
      writer.int64(-1)
      if (version >= 2) writer.int64(-1)
    }
  }
  if (version >= 1) writer.int32(0)
  if (acks === 0) throw new CloseConnection(`produce version ${version} with acks=0 is not served`)
  writer.patchInt32(0, writer.size - 4)
  return [writer.finish()]
}
