import type { Schema, SourceOffset, SourcePartition, SourceRecord } from '@millrace/sdk'
import { type ChangeContext, sourceStruct, type SourceNames } from './envelope-tail.ts'
import { heartbeatKeySchema, heartbeatValueSchema, messageKeySchema } from './envelope-schemas.ts'
import type { Lsn } from './lsn.ts'
import type { LogicalMessage } from './pgoutput.ts'
import { streamOffset, type StreamPosition } from './positions.ts'
import { binaryValue } from './types/binary.ts'
import type { TypeOptions } from './types/column-codec.ts'

/** A message of pg_logical_emit_message. */
export class MessageRecord implements SourceRecord {
  readonly topic: string
  readonly partition = null
  readonly timestamp = null
  readonly headers = []
  readonly keySchema: Schema = messageKeySchema
  readonly valueSchema: Schema
  readonly key: unknown
  readonly value: unknown
  readonly sourcePartition: SourcePartition
  position: StreamPosition
  readonly context: ChangeContext
  readonly lsn: Lsn
  readonly bytes: number

  constructor(
    message: LogicalMessage,
    settings: {
      topic: string
      names: SourceNames
      schema: Schema
      binaryMode: TypeOptions['binaryMode']
      sourcePartition: SourcePartition
    },
    change: { context: ChangeContext; position: StreamPosition; processedMicros: number },
  ) {
    this.topic = settings.topic
    this.valueSchema = settings.schema
    this.sourcePartition = settings.sourcePartition
    this.context = change.context
    this.position = change.position
    this.lsn = message.lsn
    this.bytes = message.content.length + 300
    this.key = { prefix: message.prefix }
    this.value = {
      op: 'm',
      ts_ms: BigInt(Math.floor(change.processedMicros / 1000)),
      source: sourceStruct(settings.names, { schema: '', table: '' }, change.context, message.lsn, 'false'),
      transaction: null,
      message: { prefix: message.prefix, content: binaryValue(Buffer.from(message.content), settings.binaryMode) },
    }
  }

  get sourceOffset(): SourceOffset {
    const { xid, micros } = this.context
    return streamOffset(this.position, { lsn: this.lsn, xid, micros, messageType: 'MESSAGE' })
  }
}

/** A sign of life, with the position that the connector has reached. */
export function heartbeatRecord(
  settings: { topic: string; prefix: string; sourcePartition: SourcePartition },
  millis: number,
  sourceOffset: SourceOffset,
): SourceRecord {
  return {
    topic: settings.topic,
    partition: 0,
    keySchema: heartbeatKeySchema,
    key: { serverName: settings.prefix },
    valueSchema: heartbeatValueSchema,
    value: { ts_ms: BigInt(millis) },
    headers: [],
    timestamp: null,
    sourcePartition: settings.sourcePartition,
    sourceOffset,
  }
}
