import { describe, expect, test } from 'vitest'
import { literal, quoteName, quoteText } from '../../../../connectors/jdbc/mysql/literals.ts'
import { bindRows, writeStatements } from '../../../../connectors/jdbc/mysql/writes.ts'
import { parseTableId } from '../../../../connectors/jdbc/table-id.ts'

const columns = [
  { identifier: '`id`', type: 'bigint', isArray: false, isKey: true, form: 'text' },
  { identifier: '`name`', type: 'varchar', isArray: false, isKey: false, form: 'text' },
]
const textOf = (kind: 'insert' | 'upsert' | 'update' | 'delete', rows: readonly (readonly (string | null)[])[]) =>
  bindRows(writeStatements('`t`', columns)[kind], undefined, columns, rows).map(({ text }) => text)

describe('MySQL statements', () => {
  test('take many rows each, an update one', () => {
    const rows = [
      ['1', "'a'"],
      ['2', null],
    ]
    expect(textOf('insert', rows)).toEqual(["INSERT INTO `t` (`id`, `name`) VALUES (1,'a'),(2,NULL)"])
    expect(textOf('upsert', rows)[0]).toMatch(/ ON DUPLICATE KEY UPDATE `name` = VALUES\(`name`\)$/)
    expect(textOf('update', rows)).toEqual([
      "UPDATE `t` SET `name` = 'a' WHERE `id` = 1",
      'UPDATE `t` SET `name` = NULL WHERE `id` = 2',
    ])
    const keys = columns.slice(0, 1)
    const statement = writeStatements('`t`', keys).delete
    expect(bindRows(statement, undefined, keys, [['1'], ['2']])).toEqual([
      { text: 'DELETE FROM `t` WHERE (`id`) IN ((1),(2))' },
    ])
  })

  test('stay below the smallest packet of a server, but for a row that is larger alone', () => {
    const large = `'${'x'.repeat(600_000)}'`
    const statements = textOf('insert', [
      ['1', large],
      ['2', large],
      ['3', "'a'"],
    ])
    expect(statements.map((text) => text.length < 1_048_576)).toEqual([true, true])
  })

  test('quote texts, bytes and names so that none ends early', () => {
    expect(quoteText("a'b\\")).toBe("'a\\'b\\\\'")
    expect([literal(null), literal(5n), literal(Buffer.from([0, 255]))]).toEqual(['NULL', '5', "X'00ff'"])
    expect(quoteName('a`b')).toBe('`a``b`')
    expect(parseTableId('`my.shop`.`a``b`')).toEqual({ schema: 'my.shop', name: 'a`b' })
  })
})
