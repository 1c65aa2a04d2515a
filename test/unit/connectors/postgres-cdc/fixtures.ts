// Builders of pgoutput messages and of tables, so that decoder tests need no server.
import type { Header, SourceRecord } from '@millrace/sdk'
import {
  CapturedTable,
  type RowColumn,
  type TableSettings,
} from '../../../../connectors/postgres-cdc/captured-table.ts'
import type { DecoderSettings, StreamedRecord } from '../../../../connectors/postgres-cdc/change-decoder.ts'
import { EnvelopeTail } from '../../../../connectors/postgres-cdc/envelope-tail.ts'
import { messageValueSchema } from '../../../../connectors/postgres-cdc/envelope-schemas.ts'
import { makeFilters } from '../../../../connectors/postgres-cdc/filters.ts'
import { JsonOutput } from '../../../../connectors/_shared/json-output/index.ts'
import { writeLsn, writeTimestamp } from '../../../../connectors/postgres-cdc/lsn.ts'
import { topicNames } from '../../../../connectors/postgres-cdc/topic-names.ts'
import type { TypeOptions } from '../../../../connectors/postgres-cdc/types/column-codec.ts'
import type { PostgresType } from '../../../../connectors/postgres-cdc/types/registry.ts'
import { schemas } from '@millrace/sdk'

export const typeDefaults: TypeOptions = {
  decimalMode: 'precise',
  timeMode: 'adaptive',
  intervalMode: 'numeric',
  binaryMode: 'bytes',
  hstoreMode: 'json',
  moneyFractionDigits: 2,
}

export const noFilters = {
  schemaInclude: null,
  schemaExclude: null,
  tableInclude: null,
  tableExclude: null,
  columnInclude: null,
  columnExclude: null,
  messageInclude: null,
  messageExclude: null,
}

const keyOutput = new JsonOutput()
const valueOutput = new JsonOutput()
const names = { version: '9', prefix: 'pfx', database: 'shop' }
const topics = topicNames({ prefix: 'pfx', delimiter: '.', heartbeatPrefix: 'beat' })

export function tableSettings(more: Partial<TableSettings> = {}): TableSettings {
  return {
    types: typeDefaults,
    includeUnknown: false,
    placeholder: Buffer.from('__ph'),
    filters: makeFilters(noFilters),
    keyRules: [],
    topics,
    tail: (schema, table) => new EnvelopeTail(names, schema, table),
    ...more,
  }
}

export const baseType = (name: string, more: Partial<PostgresType> = {}): PostgresType => ({
  oid: 1,
  name,
  kind: 'b',
  element: undefined,
  base: undefined,
  baseModifier: -1,
  labels: [],
  ...more,
})

export const column = (name: string, type: string, more: Partial<RowColumn> = {}): RowColumn => ({
  name,
  type: baseType(type),
  typeModifier: -1,
  notNull: false,
  defaultExpression: undefined,
  ...more,
})

/** A table t(id int primary key, v text) or of other columns. */
export function makeTable(
  columns: readonly RowColumn[] = [column('id', 'int4', { notNull: true }), column('v', 'text')],
  more: Partial<TableSettings> = {},
  key: readonly string[] = ['id'],
): CapturedTable {
  return new CapturedTable(
    { schema: 's', table: 't' },
    columns,
    { columns: key, inOldRow: () => true },
    tableSettings(more),
  )
}

export function decoderSettings(
  records: StreamedRecord[],
  more: Partial<DecoderSettings> = {},
): DecoderSettings & { unexpected: [number, number][] } {
  const unexpected: [number, number][] = []
  return {
    names,
    sourcePartition: { server: 'pfx' },
    headers: [] as Header[],
    keyOutput,
    valueOutput,
    tombstones: true,
    skipped: new Set(['t']),
    messages: {
      topic: 'pfx.message',
      schema: messageValueSchema(schemas.bytes),
      binaryMode: 'bytes',
      accepts: () => true,
    },
    nowMicros: () => 1_700_000_000_000_000,
    emit: (record) => void records.push(record),
    onUnexpectedTransaction: (...pair) => void unexpected.push(pair),
    unexpected,
    ...more,
  }
}

/** A column of a tuple: text, null, or undefined for an unchanged large value. */
export type TupleValue = string | null | undefined

export function tuple(...values: TupleValue[]): Buffer {
  const count = Buffer.alloc(2)
  count.writeInt16BE(values.length)
  const parts = values.map((value) => {
    if (value === null) return Buffer.from('n')
    if (value === undefined) return Buffer.from('u')
    const text = Buffer.from(value, 'utf8')
    const head = Buffer.from('t\0\0\0\0', 'latin1')
    head.writeInt32BE(text.length, 1)
    return Buffer.concat([head, text])
  })
  return Buffer.concat([count, ...parts])
}

const oid = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const insert = (relation: number, row: Buffer): Buffer =>
  Buffer.concat([Buffer.from('I'), oid(relation), Buffer.from('N'), row])
export const update = (relation: number, row: Buffer, old?: { kind: 'K' | 'O'; row: Buffer }): Buffer =>
  Buffer.concat([
    Buffer.from('U'),
    oid(relation),
    ...(old === undefined ? [] : [Buffer.from(old.kind), old.row]),
    Buffer.from('N'),
    row,
  ])
export const remove = (relation: number, kind: 'K' | 'O', row: Buffer): Buffer =>
  Buffer.concat([Buffer.from('D'), oid(relation), Buffer.from(kind), row])

export function begin(xid: number, finalLsn: number, micros = 1_600_000_000_000_000): Buffer {
  const message = Buffer.alloc(21)
  message.write('B')
  writeLsn(message, finalLsn, 1)
  writeTimestamp(message, micros, 9)
  message.writeUInt32BE(xid, 17)
  return message
}

export function commit(endLsn: number): Buffer {
  const message = Buffer.alloc(26)
  message.write('C')
  writeLsn(message, endLsn - 8, 2)
  writeLsn(message, endLsn, 10)
  writeTimestamp(message, 1_600_000_000_000_000, 18)
  return message
}

export const text = (record: SourceRecord, part: 'key' | 'value'): string | null => {
  const bytes = record.jsonText?.(part) ?? null
  return bytes === null ? null : Buffer.from(bytes).toString('utf8')
}
