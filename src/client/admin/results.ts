import { brokerError, type KafkaError } from '../errors.ts'

/** One entry per name asked for: what came of it, or its error. */
export type KeyedResult<T> = Map<
  string,
  { readonly value: T; readonly error?: undefined } | { readonly value?: undefined; readonly error: KafkaError }
>

interface Entry<T> {
  readonly key: string
  readonly errorCode: number
  readonly errorMessage?: string | null
  readonly value: T
}

export function collect<T>(entries: readonly Entry<T>[], what: string): KeyedResult<T> {
  return new Map(
    entries.map(({ key, errorCode, errorMessage, value }) => [
      key,
      errorCode === 0 ? { value } : { error: brokerError(errorCode, `${what} ${key}`, errorMessage) },
    ]),
  )
}

/** The values of a result; throws its first error. */
export function allOrThrow<T>(result: KeyedResult<T>): T[] {
  return [...result.values()].map((entry) => {
    if (entry.error) throw entry.error
    return entry.value
  })
}
