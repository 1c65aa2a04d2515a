import { ErrorCode, errorDetails } from './generated/errors.ts'

export type ErrorName = keyof typeof ErrorCode

export interface ErrorEntry {
  readonly code: number
  readonly name: ErrorName
  readonly message: string
  /** Whether trying again, after new metadata or a pause, may succeed. */
  readonly retriable: boolean
}

const names = Object.keys(ErrorCode) as ErrorName[]
const byCode = new Map<number, ErrorEntry>(
  errorDetails.map(([code, retriable, message], index) => [code, { code, name: names[index]!, message, retriable }]),
)

/** Kafka's entry for a code; one that is not known counts as UNKNOWN_SERVER_ERROR, as in Kafka's clients. */
export function errorByCode(code: number): ErrorEntry {
  return byCode.get(code) ?? byCode.get(ErrorCode.UNKNOWN_SERVER_ERROR)!
}
