import type { HttpClient, RequestTargetError } from '../connect/index.ts'
import { type Answer, errorAnswer } from './reply.ts'
import { addressOf, queryValue, type RestRequest } from './request.ts'

const CONFLICT = 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)'
const NO_LEADER =
  'Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.'

/** Headers that belong to the request and not to the connection. */
const PASSED_ON = [
  'authorization',
  'content-type',
  'x-connect-authorization',
  'x-connect-request-signature-algorithm',
] as const

/** The query of the next hop: a request may go to the leader and from there to an owner, and no further. */
function nextHop(request: RestRequest): string {
  const [path, query] = request.url.split('?', 2)
  const params = new URLSearchParams(query)
  params.set('forward', queryValue(request, 'forward') === undefined ? 'true' : 'false')
  return `${(path ?? '/').replace(/^\//, '')}?${params.toString()}`
}

/** Hands a request to the worker that can carry it out and gives back its answer as it is. */
export async function forward(
  request: RestRequest,
  target: RequestTargetError,
  http: HttpClient,
  timeoutMs: number,
): Promise<Answer> {
  if (queryValue(request, 'forward') === 'false') return errorAnswer(409, CONFLICT)
  if (target.url === null) return errorAnswer(409, NO_LEADER)
  const headers: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = request.headers[name]
    if (value !== undefined) headers[name] = value
  }
  const response = await http({
    method: request.method,
    url: target.url + nextHop(request),
    headers,
    body: request.body.length === 0 ? null : request.body,
    timeoutMs,
  })
  const { location } = response.headers
  return {
    status: response.status,
    ...(response.body.length === 0 ? {} : { body: response.body }),
    ...(location === undefined ? {} : { headers: { location: here(request, location, target.url) } }),
  }
}

/** The other worker tells its own address, which the client may not reach: it gets the one that it asked. */
function here(request: RestRequest, location: string, base: string): string {
  return addressOf(request, new URL(location, base).pathname)
}
