import { HerderError } from '../connect/index.ts'

/** A request as the handlers see it. */
export interface RestRequest {
  readonly method: string
  /** Path and query as they came, for forwarding. */
  readonly url: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

function badRequest(message: string): HerderError {
  return new HerderError('BAD_REQUEST', message)
}

/** A path parameter that the route declares. */
export function param(request: RestRequest, name: string): string {
  return request.params[name] ?? ''
}

/** The last value of a query parameter; undefined when it is missing. */
export function queryValue(request: RestRequest, name: string): string | undefined {
  const value = request.query[name]
  return typeof value === 'object' ? value.at(-1) : value
}

/** Every value of a query parameter. */
export function queryValues(request: RestRequest, name: string): readonly string[] {
  const value = request.query[name]
  if (value === undefined) return []
  return typeof value === 'object' ? value : [value]
}

/** A query parameter that is true or false, in any case. */
export function queryFlag(request: RestRequest, name: string, byDefault: boolean): boolean {
  const value = queryValue(request, name)
  return value === undefined ? byDefault : value.toLowerCase() === 'true'
}

/** The number of a task in a path; anything else is a path that does not exist. */
export function taskParam(request: RestRequest): number {
  const text = param(request, 'task')
  if (!/^\d{1,9}$/.test(text)) throw new HerderError('NOT_FOUND', 'HTTP 404 Not Found')
  return Number(text)
}

/** The body as a JSON object; says where it stops being JSON. */
export function jsonObject(request: RestRequest): Readonly<Record<string, unknown>> {
  const text = request.body.toString('utf8')
  if (text.trim() === '') throw badRequest('The request needs a body: a JSON object')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw badRequest(`The request body is not JSON: ${jsonReason(error)}`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest('The request body must be a JSON object')
  }
  return json as Record<string, unknown>
}

/** Node quotes the text around the mistake, which may hold a password: only the place is told. */
function jsonReason(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const position = /position \d+(?: \(line \d+ column \d+\))?/.exec(message)?.[0]
  if (position) return `it breaks at ${position}`
  return message.startsWith('Unexpected end') ? 'it ends too early' : 'a value is malformed'
}

function coerce(key: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
  throw badRequest(
    `The value of \`${key}\` is ${kind}; configuration values are text (numbers and booleans are taken too)`,
  )
}

/** A configuration: values are text, numbers and booleans become text. */
export function configOf(json: unknown, where: string): Readonly<Record<string, string>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest(`${where} must be a JSON object of configuration keys and values`)
  }
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, coerce(key, value)]))
}

/** A change of a configuration: null takes the key away. */
export function patchOf(json: Readonly<Record<string, unknown>>): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, value === null ? null : coerce(key, value)]),
  )
}

/** A path of the API with the host by which the client of this request reaches it. */
export function addressOf(request: RestRequest, path: string): string {
  const { host } = request.headers
  return host === undefined ? path : `http://${host}${path}`
}
