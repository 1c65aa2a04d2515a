import type { ParquetType } from 'hyparquet'

type Numbers = Int32Array | BigInt64Array | Float32Array | Float64Array

const ARRAYS: Readonly<Partial<Record<ParquetType, (length: number) => Numbers>>> = {
  INT32: (length) => new Int32Array(length),
  INT64: (length) => new BigInt64Array(length),
  FLOAT: (length) => new Float32Array(length),
  DOUBLE: (length) => new Float64Array(length),
}
/** There may be hundreds of files with few rows. */
const FIRST_ROWS = 16
const REFERENCE_BYTES = 8

/**
 * The values of one column until their row group ends. Numbers lie side by side in an array of their type: as objects they
 * would take several times the memory, and the garbage collector would go over each of them again and again.
 */
export class ParquetValues {
  readonly #make: ((length: number) => Numbers) | undefined
  #numbers: Numbers | undefined
  #values: unknown[] = []
  #length = 0
  #last: unknown
  /** About how much memory the values take. */
  heldBytes = 0

  /** Of the type of a column of plain values; undefined for groups and lists. */
  constructor(type: ParquetType | undefined) {
    this.#make = type && ARRAYS[type]
    this.#numbers = this.#make?.(FIRST_ROWS)
  }

  get length(): number {
    return this.#length
  }

  /** Adds a value, which fits the type. */
  push(value: unknown): void {
    const numbers = this.#numbers
    if (numbers === undefined) this.#hold(value)
    else if (value === null) this.#holdAll()
    else {
      if (this.#length === numbers.length) this.#grow(numbers)
      ;(this.#numbers as Numbers)[this.#length] = value as never
      this.heldBytes += numbers.BYTES_PER_ELEMENT
    }
    this.#length++
  }

  /** What was added, for the library; there is nothing left then. */
  take(): Numbers | unknown[] {
    const taken = this.#numbers?.subarray(0, this.#length) ?? this.#values
    this.#numbers = this.#make?.(FIRST_ROWS)
    this.#values = []
    this.#last = undefined
    this.#length = 0
    this.heldBytes = 0
    return taken
  }

  #hold(value: unknown): void {
    this.#values.push(value)
    // Of one object there is one in memory, however often it is held.
    this.heldBytes += REFERENCE_BYTES + (value === this.#last ? 0 : sizeOf(value))
    this.#last = value
  }

  /** The first null: there is no number for it. */
  #holdAll(): void {
    const numbers = this.#numbers as Numbers
    this.#numbers = undefined
    this.heldBytes = 0
    for (let index = 0; index < this.#length; index++) this.#hold(numbers[index])
    this.#hold(null)
  }

  #grow(numbers: Numbers): void {
    const larger = this.#make?.(numbers.length * 2) as Numbers
    larger.set(numbers as never)
    this.#numbers = larger
  }
}

/** About what an object takes in memory. */
function sizeOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return 24 + value.length
    case 'bigint':
      return 24
    case 'object': {
      if (value === null) return 0
      if (value instanceof Uint8Array) return 120 + value.length
      let size = 48
      for (const member of Array.isArray(value) ? value : Object.values(value)) size += REFERENCE_BYTES + sizeOf(member)
      return size
    }
    default:
      return 8
  }
}
