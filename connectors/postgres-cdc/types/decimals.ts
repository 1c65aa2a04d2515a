import { Decimal, decimalSchema, primitive, schemas, struct } from '@millrace/sdk'
import { bigintBytes, integerBytes } from '../json/decimal-bytes.ts'
import { floatText } from '../json/json-value.ts'
import { type ColumnCodec, stringCodec, type TypeOptions } from './column-codec.ts'
import { float64Codec } from './numbers.ts'

const variableScaleSchema = struct(
  { scale: schemas.int32, value: schemas.bytes },
  { name: 'io.debezium.data.VariableScaleDecimal', version: 1, doc: 'Variable scaled decimal' },
)

/** NaN and the infinities end in a letter. */
const isSpecial = (source: Buffer, _start: number, end: number): boolean => (source[end - 1] as number) > 0x39

/** Debezium's names of what numeric can hold beside numbers. */
const SPECIAL: Readonly<Record<string, string>> = {
  NaN: 'NAN',
  Infinity: 'POSITIVE_INFINITY',
  '-Infinity': 'NEGATIVE_INFINITY',
}

const doubleCodec: ColumnCodec = {
  ...float64Codec,
  // Postgres prints all digits; a double has 17 at most.
  write: (out, source, start, end) => out.ascii(floatText(Number(source.toString('latin1', start, end)))),
}

/** numeric(p,s), or numeric without either where `precision` is undefined. */
export function numericCodec(precision: number | undefined, scale: number, options: TypeOptions): ColumnCodec {
  if (options.decimalMode === 'double') return doubleCodec
  if (options.decimalMode === 'string') {
    const zero = precision === undefined ? '0' : new Decimal(0n, Math.max(0, scale)).toString()
    const base = stringCodec()
    return {
      schema: base.schema,
      // Defaults are written as in the DDL; values always have the digits of their column.
      value: (text) =>
        SPECIAL[text] ?? (precision === undefined ? text : withScale(Decimal.parse(text), scale).toString()),
      write: (out, source, start, end) => {
        const last = source[end - 1] as number
        if (last >= 0x30 && last <= 0x39) out.string(source, start, end)
        else out.text(SPECIAL[source.toString('latin1', start, end)] ?? source.toString('latin1', start, end))
      },
      fallback: zero,
    }
  }
  return precision === undefined
    ? variableScaleCodec
    : preciseCodec(scale, { 'connect.decimal.precision': `${precision}` })
}

const scratch = Buffer.alloc(8)

/** Reads at most 15 digits with exactly `scale` of them after the point; undefined for anything else. */
function unscaled(source: Buffer, start: number, end: number, scale: number): number | undefined {
  if (end - start > 16) return undefined
  let value = 0
  let fraction = -1
  const negative = source[start] === 0x2d
  for (let index = negative ? start + 1 : start; index < end; index++) {
    const byte = source[index] as number
    if (byte === 0x2e) fraction = 0
    else if (byte < 0x30 || byte > 0x39) return undefined
    else {
      value = value * 10 + byte - 0x30
      if (fraction >= 0) fraction++
    }
  }
  if ((fraction < 0 ? 0 : fraction) !== scale) return undefined
  return negative ? -value : value
}

function preciseCodec(scale: number, parameters: Readonly<Record<string, string>>): ColumnCodec {
  const toDecimal = (text: string): Decimal => withScale(Decimal.parse(text), scale)
  return {
    schema: decimalSchema(scale, { parameters }),
    value: toDecimal,
    write: (out, source, start, end) => {
      const number = unscaled(source, start, end, scale)
      if (number !== undefined) {
        out.base64(scratch, integerBytes(number, scratch), 8)
        return
      }
      out.base64(bigintBytes(toDecimal(source.toString('latin1', start, end)).unscaled))
    },
    isNull: isSpecial,
    fallback: new Decimal(0n, scale),
  }
}

/** A negative scale (numeric(2,-3)) rounds on the server; its values are whole multiples and stay exact here. */
function withScale(decimal: Decimal, scale: number): Decimal {
  return scale < 0 ? new Decimal(decimal.unscaled / 10n ** BigInt(-scale), scale) : decimal.withScale(scale)
}

/** The struct of a decimal whose scale differs from row to row: trailing zeros cut, the scale not below 0. */
function variableScale(text: string): { scale: number; value: Buffer } {
  let { unscaled: digits, scale } = Decimal.parse(text)
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n
    scale--
  }
  return { scale, value: bigintBytes(digits) }
}

const variableScaleCodec: ColumnCodec = {
  schema: variableScaleSchema,
  value: variableScale,
  isNull: isSpecial,
  fallback: { scale: 0, value: Buffer.from([0]) },
}

/** money as printed in the C locale: `-$1,234.11`. Other locales differ in the signs, not in the digits' order. */
function moneyText(text: string): string {
  const negative = text.startsWith('-') || text.startsWith('(')
  const digits = text.replace(/[^\d.,]/g, '')
  const point = Math.max(digits.lastIndexOf('.'), digits.lastIndexOf(','))
  const hasFraction = point >= 0 && digits.length - point === 3
  const whole = (hasFraction ? digits.slice(0, point) : digits).replace(/[.,]/g, '')
  return `${negative ? '-' : ''}${whole}${hasFraction ? `.${digits.slice(point + 1)}` : ''}`
}

/** Rounds half away from zero, as Java's HALF_UP. */
function roundTo(decimal: Decimal, scale: number): Decimal {
  if (decimal.scale <= scale) return decimal.withScale(scale)
  const divisor = 10n ** BigInt(decimal.scale - scale)
  const half = decimal.unscaled < 0n ? -divisor / 2n : divisor / 2n
  return new Decimal((decimal.unscaled + half) / divisor, scale)
}

export function moneyCodec(options: TypeOptions): ColumnCodec {
  const digits = options.moneyFractionDigits
  const decimal = (text: string): Decimal => roundTo(Decimal.parse(moneyText(text)), digits)
  const zero = new Decimal(0n, digits)
  if (options.decimalMode === 'double') {
    return { schema: primitive('FLOAT64'), value: (text) => Number(decimal(text).toString()), fallback: 0 }
  }
  if (options.decimalMode === 'string') {
    return { schema: primitive('STRING'), value: (text) => decimal(text).toString(), fallback: zero.toString() }
  }
  return { schema: decimalSchema(digits), value: decimal, fallback: zero }
}
