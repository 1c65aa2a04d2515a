import type { Schema } from '@millrace/sdk'

/** The bytes of a file that is read from. */
export interface ByteSource {
  readonly size: number
  /** Bytes from `start` up to `end`, which is not beyond the size. */
  read(start: number, end: number): Promise<Uint8Array>
}

/** A value of a file, with its schema where the format has them. */
export interface ReadValue {
  readonly schema: Schema | null
  readonly value: unknown
}
