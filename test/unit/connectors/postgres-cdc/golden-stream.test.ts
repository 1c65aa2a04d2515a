// golden/pgoutput.json holds what pg_logical_slot_get_binary_changes of real servers gave: position and message in hex.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ChangeDecoder, type StreamedRecord } from '../../../../connectors/postgres-cdc/change-decoder.ts'
import { parseLsn } from '../../../../connectors/postgres-cdc/lsn.ts'
import { readRelation, type RelationMessage } from '../../../../connectors/postgres-cdc/pgoutput.ts'
import { completePosition } from '../../../../connectors/postgres-cdc/positions.ts'
import { column, decoderSettings, makeTable, text } from './fixtures.ts'

const golden = JSON.parse(readFileSync(new URL('golden/pgoutput.json', import.meta.url), 'utf8')) as Record<
  string,
  string[]
>
const TYPES: Readonly<Record<number, string>> = { 23: 'int4', 25: 'text', 1700: 'numeric' }
const RELATION = 'R'.charCodeAt(0)

function decode(lines: readonly string[]): { records: StreamedRecord[]; relations: RelationMessage[] } {
  const records: StreamedRecord[] = []
  const relations: RelationMessage[] = []
  const decoder = new ChangeDecoder(decoderSettings(records, { skipped: new Set() }), completePosition(0), null)
  for (const line of lines) {
    const [lsn = '', hex = ''] = line.split(' ')
    const message = Buffer.from(hex, 'hex')
    if (message[0] !== RELATION) {
      decoder.message(message[0] as number, message, 1, message.length, parseLsn(lsn))
      continue
    }
    const relation = readRelation(message, 1, message.length)
    relations.push(relation)
    const columns = relation.columns.map(({ name, typeOid, typeModifier }) =>
      column(name, TYPES[typeOid] ?? '', { typeModifier }),
    )
    decoder.setTable(relation.oid, makeTable(columns, {}, relation.table === 't' ? ['id'] : []))
  }
  return { records, relations }
}

const shorten = (value: unknown): string => JSON.stringify(value)?.replace(/x{2100}/, 'LONG') ?? ''

function summary(record: StreamedRecord): string {
  if (!('operation' in record)) return `m ${JSON.stringify(record.key)}`
  const value = JSON.parse(text(record, 'value') ?? 'null')
  if (value === null) return `tombstone ${text(record, 'key')}`
  return `${value.op} ${text(record, 'key')} ${shorten(value.before)} ${shorten(value.after)}`
}

describe.each(Object.keys(golden))('the stream of Postgres %s', (version) => {
  const { records, relations } = decode(golden[version] ?? [])

  test('makes these records', () => {
    expect(records.map(summary)).toEqual([
      'c {"id":1} null {"id":1,"v":"one","n":"AJY="}',
      'c {"id":2} null {"id":2,"v":null,"n":null}',
      'u {"id":1} null {"id":1,"v":"é","n":"AJY="}',
      'd {"id":2} {"id":2,"v":null,"n":null} null',
      'tombstone {"id":2}',
      'c {"id":3} null {"id":3,"v":null,"n":null}',
      'c {"id":4} null {"id":4,"v":"LONG","n":"AA=="}',
      'u {"id":4} null {"id":4,"v":"__ph","n":"AMg="}',
      'd {"id":1} {"id":1,"v":null,"n":null} null',
      'tombstone {"id":1}',
      'c null null {"id":1,"v":"a"}',
      'u null {"id":1,"v":"a"} {"id":1,"v":"b"}',
      'd null {"id":1,"v":"b"} null',
      'tombstone null',
      't null null null',
      't null null null',
      'm {"prefix":"pre"}',
    ])
  })

  test('describes its relations', () => {
    expect(relations[0]).toMatchObject({
      schema: 'public',
      table: 't',
      replicaIdentity: 'd',
      columns: [
        { isKey: true, name: 'id', typeOid: 23, typeModifier: -1 },
        { isKey: false, name: 'v', typeOid: 25, typeModifier: -1 },
        { isKey: false, name: 'n', typeOid: 1700, typeModifier: 524_294 },
      ],
    })
    expect(relations[1]).toMatchObject({ table: 'f', replicaIdentity: 'f' })
  })
})

test('a relation message cut anywhere is an error', () => {
  const line = golden['15']?.find((candidate) => candidate.split(' ')[1]?.startsWith('52')) ?? ''
  const bytes = Buffer.from(line.split(' ')[1] ?? '', 'hex')
  for (let end = 2; end < bytes.length; end++) expect(() => readRelation(bytes, 1, end)).toThrow(/cut/)
})
