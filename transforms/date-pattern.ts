import { SimpleDateFormat } from './simple-date-format.ts'

/** Says what is wrong with a pattern of SimpleDateFormat. */
export function checkDatePattern(pattern: string): string | undefined {
  try {
    new SimpleDateFormat(pattern).format(new Date(0))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
