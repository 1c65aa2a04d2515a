/** What went wrong with a request, with the status that REST answers. */
export type HerderErrorCode =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'BAD_REQUEST'
  | 'CONFLICT'
  | 'FORBIDDEN'
  | 'UNAVAILABLE'
  | 'TIMEOUT'

const STATUS: Readonly<Record<HerderErrorCode, number>> = {
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  BAD_REQUEST: 400,
  CONFLICT: 409,
  FORBIDDEN: 403,
  UNAVAILABLE: 503,
  TIMEOUT: 500,
}

/** A request that the herder refuses. */
export class HerderError extends Error {
  override name = 'HerderError'
  readonly code: HerderErrorCode

  constructor(code: HerderErrorCode, message: string) {
    super(message)
    this.code = code
  }

  get status(): number {
    return STATUS[this.code]
  }
}

/** The request has to be carried out by another worker: the leader, or the owner of a connector or task. */
export class RequestTargetError extends Error {
  override name = 'RequestTargetError'
  /** Where that worker listens; null while nobody knows. */
  readonly url: string | null

  constructor(url: string | null) {
    super(url === null ? 'no worker is known to take the request' : `the request belongs to ${url}`)
    this.url = url
  }
}
