import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cells } from '../../../../connectors/_shared/file-source/readers/cells.ts'
import { type CsvFormat, CsvParser } from '../../../../connectors/_shared/file-source/readers/csv-parser.ts'
import { TextWindow } from '../../../../connectors/_shared/file-source/text-window.ts'
import '../../property-settings.ts'

const OPENCSV: CsvFormat = {
  separator: ',',
  quote: '"',
  escape: '\\',
  strictQuotes: false,
  ignoreLeadingWhitespace: true,
  ignoreQuotations: false,
  keepCarriageReturn: false,
  nullFieldIndicator: 'NEITHER',
}
const RFC: CsvFormat = { ...OPENCSV, escape: null }

/** Rows, and the position behind each; the bytes come in pieces that end at these positions. */
function rowsOf(format: CsvFormat, bytes: Buffer, cuts: readonly number[] = []): { cells: Cells; position: number }[] {
  const window = new TextWindow('UTF-8')
  const parser = new CsvParser(format, window)
  const rows: { cells: Cells; position: number }[] = []
  const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted((a, b) => a - b)
  let start = 0
  for (const end of ends) {
    window.push(bytes.subarray(start, end), end === bytes.length)
    start = end
    for (let cells = parser.next(); cells !== undefined; cells = parser.next()) {
      rows.push({ cells, position: window.positionOf(window.at) })
    }
  }
  return rows
}

const cellsOf = (format: CsvFormat, text: string): Cells[] =>
  rowsOf(format, Buffer.from(text)).map(({ cells }) => cells)

describe('opencsv', () => {
  test.each<[string, Partial<CsvFormat>, Cells[]]>([
    [
      'a,b\nc,d\n',
      {},
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d',
      {},
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a,"b,c",d\n', {}, [['a', 'b,c', 'd']]],
    [
      'a,"two\nlines"\nb,c\n',
      {},
      [
        ['a', 'two\nlines'],
        ['b', 'c'],
      ],
    ],
    ['a,"say ""hi"""\n', {}, [['a', 'say "hi"']]],
    ['a,"say \\"hi\\""\n', {}, [['a', 'say "hi"']]],
    ['C:\\temp,\\\\x\n', {}, [['C:temp', '\\x']]],
    ['a,  "b"\n', {}, [['a', 'b']]],
    ['aaa,bc"d"ef,g\n', {}, [['aaa', 'bc"d"ef', 'g']]],
    ['a,,""\n', {}, [['a', '', '']]],
    ['a,,""\n', { nullFieldIndicator: 'EMPTY_SEPARATORS' }, [['a', null, '']]],
    ['a,,""\n', { nullFieldIndicator: 'EMPTY_QUOTES' }, [['a', '', null]]],
    ['a,,""\n', { nullFieldIndicator: 'BOTH' }, [['a', null, null]]],
    ['a,,b\n', { nullFieldIndicator: 'BOTH' }, [['a', null, 'b']]],
    ['x"a"x,"b"\n', { strictQuotes: true }, [['a', 'b']]],
    ['a;b,c\n', { separator: ';' }, [['a', 'b,c']]],
    ["'a,b',c\n", { quote: "'" }, [['a,b', 'c']]],
    ['"a,b"\n', { ignoreQuotations: true }, [['a', 'b']]],
    ['a,b\r\n', { keepCarriageReturn: true }, [['a', 'b\r']]],
    [
      '"a","b"\r\n"c","d"\r\n',
      {},
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a\n\nb\n', {}, [['a'], [], ['b']]],
    ['zwölf,"漢,字"\n', {}, [['zwölf', '漢,字']]],
  ])('%j %j', (text, changes, expected) => {
    expect(cellsOf({ ...OPENCSV, ...changes }, text)).toEqual(expected)
  })

  test('a quote that is never closed is an error at the row where it opened', () => {
    expect(() => cellsOf(OPENCSV, 'ok,ok\na,"open\nand,more\n')).toThrow(/the row at byte 6/)
  })
})

test('RFC 4180 reads a backslash as any other character', () => {
  expect(cellsOf(RFC, 'C:\\temp,"a ""b"" \\"\n"x","y"\r\n')).toEqual([
    ['C:\\temp', 'a "b" \\'],
    ['x', 'y'],
  ])
})

const cell = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', ',', '"', '\n', '\\', 'ö', '漢', '😀', '\r'),
  maxLength: 6,
})
const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 })

function written(rows: readonly (readonly string[])[], mustQuote: boolean): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  return rows
    .map((row) => `${row.map((text) => (mustQuote || /[",\n\r]/.test(text) ? quoted(text) : text)).join(',')}\n`)
    .join('')
}

test('reads what csv-parse reads, wherever the bytes are cut, with positions behind the rows', () => {
  fc.assert(
    fc.property(table, fc.boolean(), fc.array(fc.nat(200), { maxLength: 6 }), (rows, mustQuote, cuts) => {
      const bytes = Buffer.from(written(rows, mustQuote))
      const ours = rowsOf(RFC, bytes, cuts)
      expect(ours.map(({ cells }) => cells)).toEqual(rows)
      expect(ours.map(({ cells }) => cells)).toEqual(parse(bytes, { relax_column_count: true }))
      for (const [index, { position }] of ours.entries()) {
        expect(rowsOf(RFC, bytes.subarray(position)).map(({ cells }) => cells)).toEqual(rows.slice(index + 1))
      }
    }),
  )
})

test('opencsv rows do not depend on where the bytes are cut', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\\', 'ö', '\r', ' '), maxLength: 30 })
  const rowsOrError = (bytes: Buffer, cuts: readonly number[]): unknown => {
    try {
      return rowsOf(OPENCSV, bytes, cuts)
    } catch (error) {
      return (error as Error).message
    }
  }
  fc.assert(
    fc.property(text, fc.array(fc.nat(40), { maxLength: 8 }), (content, cuts) => {
      const bytes = Buffer.from(content)
      const whole = rowsOrError(bytes, [])
      // With an error the rows before it are given first, which the helper throws away.
      expect(rowsOrError(bytes, cuts)).toEqual(whole)
    }),
  )
})
