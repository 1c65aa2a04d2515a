const BRAND = Symbol.for('millrace.decimal')

/** An exact decimal: `unscaled` times ten to the power of minus `scale`. The value of Connect's logical type Decimal. */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number
  readonly [BRAND] = true

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /** Reads plain or scientific notation (`12.50`, `-1e3`); the scale is the number of digits written after the point, never below 0. Throws RangeError on anything else. */
  static parse(text: string): Decimal {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/.exec(text)
    if (!match || (!match[2] && !match[3])) throw new RangeError(`not a decimal number: "${text}"`)
    const fraction = match[3] ?? ''
    let unscaled = BigInt((match[2] ?? '') + fraction)
    if (match[1] === '-') unscaled = -unscaled
    let scale = fraction.length - Number(match[4] ?? 0)
    if (scale < 0) {
      unscaled *= 10n ** BigInt(-scale)
      scale = 0
    }
    return new Decimal(unscaled, scale)
  }

  /** The same value with another scale; digits that do not fit are cut towards zero unless they must be exact, which throws RangeError. */
  withScale(scale: number, mode: 'exact' | 'truncate' = 'exact'): Decimal {
    if (scale === this.scale) return this
    if (scale > this.scale) return new Decimal(this.unscaled * 10n ** BigInt(scale - this.scale), scale)
    const divisor = 10n ** BigInt(this.scale - scale)
    if (mode === 'exact' && this.unscaled % divisor !== 0n) {
      throw new RangeError(`${this.toString()} has more than ${scale} digits after the point`)
    }
    return new Decimal(this.unscaled / divisor, scale)
  }

  /** Plain notation with exactly `scale` digits after the point. */
  toString(): string {
    const negative = this.unscaled < 0n
    let digits = (negative ? -this.unscaled : this.unscaled).toString()
    if (this.scale > 0) {
      digits = digits.padStart(this.scale + 1, '0')
      digits = `${digits.slice(0, -this.scale)}.${digits.slice(-this.scale)}`
    } else if (this.scale < 0 && digits !== '0') {
      digits += '0'.repeat(-this.scale)
    }
    return negative ? `-${digits}` : digits
  }

  toNumber(): number {
    return Number(this.toString())
  }

  /** The unscaled value as big-endian two's complement in as few bytes as Java's BigInteger.toByteArray gives. */
  toBytes(): Uint8Array {
    let length = 1
    while (BigInt.asIntN(length * 8, this.unscaled) !== this.unscaled) length++
    let rest = BigInt.asUintN(length * 8, this.unscaled)
    const bytes = new Uint8Array(length)
    for (let i = length - 1; i >= 0; i--) {
      bytes[i] = Number(rest & 0xffn)
      rest >>= 8n
    }
    return bytes
  }

  /** The inverse of `toBytes`. An empty array is zero. */
  static fromBytes(bytes: Uint8Array, scale: number): Decimal {
    let unscaled = 0n
    for (const byte of bytes) unscaled = (unscaled << 8n) | BigInt(byte)
    return new Decimal(bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, unscaled), scale)
  }
}

/** True for a Decimal of any copy of the SDK. */
export function isDecimal(value: unknown): value is Decimal {
  return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true
}
