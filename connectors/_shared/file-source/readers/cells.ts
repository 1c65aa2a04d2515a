/** The cells of a row; null where the format says that an empty one is null. */
export type Cells = (string | null)[]

/** Cuts a window of text into rows. */
export interface CellParser {
  /** The cells of the next row; undefined when more bytes are needed. A blank line gives `[]`. */
  next(): Cells | undefined
  /** Leaves out a line, whatever is in it; false when more bytes are needed. */
  skipLine(): boolean
}
