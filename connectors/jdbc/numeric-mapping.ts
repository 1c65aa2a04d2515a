import type { NumericMapping } from './dialect.ts'

/** What a NUMERIC column becomes. */
export type NumericTarget = 'int8' | 'int16' | 'int32' | 'int64' | 'float64' | 'decimal'

const INTEGER_DIGITS_MAX = 18
const SCALE_MIN = -84

/** Chooses the type for a NUMERIC of known precision and scale, as `numeric.mapping` says. */
export function numericTarget(mapping: NumericMapping, precision: number, scale: number): NumericTarget {
  if (mapping === 'none') return 'decimal'
  if (mapping === 'precision_only') {
    return scale === 0 && precision <= INTEGER_DIGITS_MAX ? integerTarget(precision) : 'decimal'
  }
  if (precision <= INTEGER_DIGITS_MAX && scale < 1 && scale >= SCALE_MIN) return integerTarget(precision - scale)
  if (scale > 0 && (mapping === 'best_fit_eager_double' || precision <= INTEGER_DIGITS_MAX)) return 'float64'
  return 'decimal'
}

/** A negative scale adds zeros, so `digits` counts them: numeric(3,-5) holds eight digits. */
function integerTarget(digits: number): NumericTarget {
  if (digits > INTEGER_DIGITS_MAX) return 'decimal'
  if (digits > 9) return 'int64'
  if (digits > 4) return 'int32'
  return digits > 2 ? 'int16' : 'int8'
}
