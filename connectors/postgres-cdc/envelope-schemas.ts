import { primitive, type Schema, schemas, struct, withOptions } from '@millrace/sdk'

const { string, int64, optional } = schemas

/** Where a change comes from. */
export const sourceSchema: Schema = struct(
  {
    version: string,
    connector: string,
    name: string,
    ts_ms: int64,
    snapshot: primitive('STRING', {
      optional: true,
      default: 'false',
      name: 'io.debezium.data.Enum',
      version: 1,
      parameters: { allowed: 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental' },
    }),
    db: string,
    sequence: optional.string,
    ts_us: optional.int64,
    ts_ns: optional.int64,
    schema: string,
    table: string,
    txId: optional.int64,
    lsn: optional.int64,
    xmin: optional.int64,
    origin: optional.string,
    origin_lsn: optional.int64,
  },
  { name: 'io.debezium.connector.postgresql.Source', version: 1 },
)

const transactionBlockSchema: Schema = struct(
  { id: string, total_order: int64, data_collection_order: int64 },
  { optional: true, name: 'event.block', version: 1 },
)

/** The schema of a change of one table. */
export function envelopeSchema(name: string, row: Schema): Schema {
  return struct(
    {
      before: row,
      after: row,
      source: sourceSchema,
      transaction: transactionBlockSchema,
      op: string,
      ts_ms: optional.int64,
      ts_us: optional.int64,
      ts_ns: optional.int64,
    },
    { name, version: 2 },
  )
}

export const messageKeySchema: Schema = struct(
  { prefix: optional.string },
  { name: 'io.debezium.connector.postgresql.MessageKey', version: 1 },
)

/** A message of pg_logical_emit_message; its content is bytes or text by binary.handling.mode. */
export function messageValueSchema(content: Schema): Schema {
  const message = struct(
    { prefix: optional.string, content: withOptions(content, { optional: true }) },
    { name: 'io.debezium.connector.postgresql.Message', version: 1 },
  )
  return struct(
    { op: string, ts_ms: optional.int64, source: sourceSchema, transaction: transactionBlockSchema, message },
    { name: 'io.debezium.connector.postgresql.MessageValue', version: 1 },
  )
}

export const heartbeatKeySchema: Schema = struct(
  { serverName: string },
  { name: 'io.debezium.connector.common.ServerNameKey', version: 1 },
)

export const heartbeatValueSchema: Schema = struct(
  { ts_ms: int64 },
  { name: 'io.debezium.connector.common.Heartbeat', version: 1 },
)
