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

/** Values that a file holds together, and where reading goes on: a file may be read from the position of any of them. */
export interface ReadBlock {
  readonly position: number
  /** Position of what follows. */
  readonly next: number
  readonly values: readonly ReadValue[]
}

/** The values of blocks. */
export async function* valuesOf(blocks: AsyncIterable<ReadBlock>): AsyncGenerator<readonly ReadValue[]> {
  for await (const { values } of blocks) yield values
}
