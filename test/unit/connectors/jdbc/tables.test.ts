import { parseConfigOrThrow } from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { truncateIdentifier } from '../../../../connectors/jdbc/postgres/identifiers.ts'
import { mappedColumns, parseColumnMapping } from '../../../../connectors/jdbc/patterns.ts'
import { sourceConfig } from '../../../../connectors/jdbc/source-config.ts'
import { parseTableId, plainName, quotedName } from '../../../../connectors/jdbc/table-id.ts'
import {
  duplicateNames,
  groupContiguous,
  readTables,
  selectTables,
  writeTables,
} from '../../../../connectors/jdbc/table-selection.ts'
import { tableForTopic } from '../../../../connectors/jdbc/table-name.ts'
import '../../property-settings.ts'

const base = { 'connection.url': 'jdbc:postgresql://h/d', mode: 'bulk' }
const config = (raw: Record<string, string>) => parseConfigOrThrow(sourceConfig, { ...base, ...raw })
const tables = ['public.driver', 'public.ride', 'audit.log', 'Audit.Log'].map(parseTableId)
const selected = (raw: Record<string, string>) => selectTables(config(raw), tables).map(plainName)

describe('the lists of tables', () => {
  test('without a list all are taken', () => expect(selected({})).toHaveLength(4))
  test.each([
    ['driver', ['public.driver']],
    ['public.driver,audit.log', ['public.driver', 'audit.log']],
    ['"public"."ride"', ['public.ride']],
    ['Driver', []],
  ])('table.whitelist=%s', (list, found) => expect(selected({ 'table.whitelist': list })).toEqual(found))

  test('table.blacklist leaves out', () => {
    expect(selected({ 'table.blacklist': 'ride,audit.log' })).toEqual(['public.driver', 'Audit.Log'])
  })

  test('table.include.list and table.exclude.list match whole qualified names', () => {
    expect(selected({ 'table.include.list': 'public\\..*' })).toEqual(['public.driver', 'public.ride'])
    expect(selected({ 'table.include.list': 'public' })).toEqual([])
    expect(selected({ 'table.include.list': '(?i)audit\\..*', 'table.exclude.list': 'audit\\.log' })).toEqual([
      'Audit.Log',
    ])
  })

  test('tables of one name in two schemas are told', () => {
    expect(duplicateNames([...tables, parseTableId('other.ride')])).toEqual(['ride'])
  })
})

describe('groups for tasks', () => {
  test.each([
    [
      5,
      2,
      [
        [0, 1, 2],
        [3, 4],
      ],
    ],
    [3, 5, [[0], [1], [2]]],
    [
      7,
      3,
      [
        [0, 1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
  ])('%i tables in %i tasks stay in order', (count, groups, expected) => {
    expect(
      groupContiguous(
        Array.from({ length: count }, (_, i) => i),
        groups,
      ),
    ).toEqual(expected)
  })
})

describe('table names', () => {
  test('travel through a task config whatever they are made of', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '')
    fc.assert(
      fc.property(fc.array(fc.record({ schema: name, name }), { minLength: 1 }), (list) => {
        expect(readTables(writeTables(list), parseTableId)).toEqual(list)
      }),
    )
  })

  test('a quote in a name cannot end it', () => {
    expect(quotedName({ schema: 'public', name: 'x"; DROP TABLE y; --' })).toBe('"public"."x""; DROP TABLE y; --"')
  })

  test('no table at all is told with what to check', () => {
    expect(() => readTables('', parseTableId)).toThrow(/table.whitelist/)
  })

  test.each([
    ['${topic}', 'shop.public.orders', 'public.orders'],
    ['${topic}', 'orders', 'orders'],
    ['reporting.${table}', 'shop.public.orders', 'reporting.orders'],
    ['"My Schema".${topic}', 'orders', 'My Schema.orders'],
    ['kafka_${topic}', 'orders', 'kafka_orders'],
  ])('table.name.format=%s of %s', (format, topic, table) => {
    const name = tableForTopic(
      { 'table.name.format': format, 'table.name.normalize': false, 'topics.to.tables.mapping': [] },
      topic,
      truncateIdentifier,
    )
    expect(plainName(name)).toBe(table)
  })

  test('topics.to.tables.mapping wins, and normalizing replaces what is no letter or digit', () => {
    const settings = {
      'table.name.format': '${topic}',
      'table.name.normalize': true,
      'topics.to.tables.mapping': ['a.b:x.y'],
    }
    expect(plainName(tableForTopic(settings, 'a.b', truncateIdentifier))).toBe('x.y')
    expect(plainName(tableForTopic(settings, 'a.b-c', truncateIdentifier))).toBe('a_b_c')
  })

  test('are cut to 63 bytes, never inside a character', () => {
    expect(truncateIdentifier('a'.repeat(70))).toBe('a'.repeat(63))
    expect(truncateIdentifier(`${'a'.repeat(62)}é`)).toBe('a'.repeat(62))
    expect(truncateIdentifier('short')).toBe('short')
  })
})

describe('column mappings', () => {
  test('one entry must match', () => {
    const mappings = ['public\\..*:[updated|created]', 'audit.log:at'].map((entry) => parseColumnMapping('k', entry))
    expect(mappedColumns('k', mappings, 'public.driver')).toEqual(['updated', 'created'])
    expect(mappedColumns('k', mappings, 'audit.log')).toEqual(['at'])
    expect(() => mappedColumns('k', mappings, 'x.y')).toThrow(/no entry match/)
    expect(() => mappedColumns('k', [...mappings, ...mappings], 'audit.log')).toThrow(/2 entries/)
  })

  test.each(['novalue', 'a:', 'a:[]', '(:x'])('"%s" is refused', (entry) => {
    expect(() => parseColumnMapping('timestamp.columns.mapping', entry)).toThrow(/timestamp.columns.mapping/)
  })
})
