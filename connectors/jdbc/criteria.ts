import type { SqlValue } from './sql.ts'

/** The columns that tell new rows, as SQL expressions ready for a WHERE. */
export interface CriteriaColumns {
  readonly incrementing: string | undefined
  readonly timestamps: readonly string[]
}

/** The bounds of one query, as the database reads them. */
export interface CriteriaBounds {
  readonly incrementing: SqlValue | undefined
  /** Rows after this time ... */
  readonly begin: SqlValue | undefined
  /** ... and before this one are found. */
  readonly end: SqlValue | undefined
}

export interface Criteria {
  /** ` WHERE ... ORDER BY ...`, or nothing for a whole table. */
  readonly text: string
  readonly values: readonly SqlValue[]
}

/** Of several timestamp columns, the first that is not null counts. */
function timestampExpression(columns: readonly string[]): string {
  return columns.length === 1 ? (columns[0] as string) : `COALESCE(${columns.join(',')})`
}

/**
 * Builds the condition and order that find the rows after a position. A condition that is implied by the others
 * (timestamp at least `begin`) is added where an index on the timestamp could not be used otherwise.
 */
export function buildCriteria(
  columns: CriteriaColumns,
  bounds: CriteriaBounds,
  placeholder: (index: number) => string,
): Criteria {
  const values: SqlValue[] = []
  const bind = (value: SqlValue | undefined): string => {
    values.push(value ?? null)
    return placeholder(values.length)
  }
  const id = columns.incrementing
  if (columns.timestamps.length === 0) {
    if (id === undefined) return { text: '', values }
    return { text: ` WHERE ${id} > ${bind(bounds.incrementing)} ORDER BY ${id} ASC`, values }
  }
  const ts = timestampExpression(columns.timestamps)
  if (id === undefined) {
    return { text: ` WHERE ${ts} > ${bind(bounds.begin)} AND ${ts} < ${bind(bounds.end)} ORDER BY ${ts} ASC`, values }
  }
  const end = bind(bounds.end)
  const begin = bind(bounds.begin)
  // A place without a number cannot be meant twice, so its value goes along once for each use.
  const again = placeholder(1) === placeholder(2) ? () => bind(bounds.begin) : () => begin
  const equal = again()
  const last = bind(bounds.incrementing)
  const after = `((${ts} = ${equal} AND ${id} > ${last}) OR ${ts} > ${again()})`
  return { text: ` WHERE ${ts} < ${end} AND ${ts} >= ${begin} AND ${after} ORDER BY ${ts},${id} ASC`, values }
}
