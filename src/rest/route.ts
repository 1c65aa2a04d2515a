import type { Answer } from './reply.ts'
import type { RestRequest } from './request.ts'

/** One endpoint: every handler calls one function of the herder. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` for parameters. */
  readonly path: string
  /** What it does, for the reference. */
  readonly doc: string
  /** From worker to worker, signed. */
  readonly isInternal?: boolean
  readonly handle: (request: RestRequest) => Promise<Answer>
}
