import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Clock, Logger } from '../base/index.ts'
import { type Herder, HerderError, type HttpClient, RequestTargetError } from '../connect/index.ts'
import { adminRoutes } from './admin-routes.ts'
import { connectorRoutes } from './connector-routes.ts'
import { discardBody } from './discard-body.ts'
import { forward } from './forward.ts'
import { type CorsSettings, corsHeaders, type HeaderRule, headerValue, preflightHeaders } from './headers.ts'
import { pluginRoutes } from './plugin-routes.ts'
import { type Answer, errorAnswer } from './reply.ts'
import type { RestRequest } from './request.ts'
import type { Route } from './route.ts'
import { serverRoutes } from './server-routes.ts'

/** How REST is served, whatever it serves. */
export interface RestSettings {
  readonly http: HttpClient
  readonly clock: Clock
  readonly logger: Logger
  readonly cors: CorsSettings
  readonly responseHeaders: readonly HeaderRule[]
}

export interface RestOptions extends RestSettings {
  readonly herder: Herder
  /** Which endpoints this listener has: /admin may be on another one, or off. */
  readonly parts: { readonly connect: boolean; readonly admin: boolean }
  /** The commit of this build, for `GET /`. */
  readonly commit: string
}

const REQUEST_TIMEOUT_MS = 90_000
const BODY_BYTES_MAX = 10 * 1024 * 1024
const PARAM_LENGTH_MAX = 8192
const PAYLOAD_TOO_LARGE = 413
const DISCARDED_BYTES_MAX = 10 * BODY_BYTES_MAX

/** Routes below a path, which answer when what they ask has started. */
export interface Mount {
  /** Without a slash at its end. */
  readonly path: string
  readonly asked: Pick<Herder, 'health'>
  readonly routes: readonly Route[]
}

/** The Connect REST API as a fastify app; tests call `inject`, the server `listen`. */
export function createRestApp(options: RestOptions): FastifyInstance {
  const { herder } = options
  const routes: Route[] = [...serverRoutes(herder, options.commit)]
  if (options.parts.connect) routes.push(...connectorRoutes(herder), ...pluginRoutes(herder))
  if (options.parts.admin) routes.push(...adminRoutes(herder))
  return createApp(options, [{ path: '', asked: herder, routes }])
}

/** An app of routes, with Kafka's form of errors. */
export function createApp(options: RestSettings, mounts: readonly Mount[]): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    logger: false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, ignoreTrailingSlash: true },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const paths: string[] = []
  for (const { path, asked, routes } of mounts) {
    for (const route of routes) {
      const url = path + route.path
      paths.push(url)
      app.route({
        method: route.method,
        url,
        handler: (request, reply) => serve(options, asked, route, request, reply),
      })
    }
  }
  app.setNotFoundHandler((request, reply) => send(options, request, reply, notFound(options, paths, request)))
  app.setErrorHandler(async (error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status === PAYLOAD_TOO_LARGE) await discardBody(request.raw, DISCARDED_BYTES_MAX)
    return send(options, request, reply, errorAnswer(status, error.message))
  })
  return app
}

async function serve(
  options: RestSettings,
  asked: Mount['asked'],
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const restRequest = toRestRequest(request)
  return send(options, request, reply, await answer(options, asked, route, restRequest))
}

function toRestRequest(request: FastifyRequest): RestRequest {
  return {
    method: request.method,
    url: request.raw.url ?? request.url,
    params: request.params as Record<string, string>,
    query: request.query as RestRequest['query'],
    headers: request.headers as RestRequest['headers'],
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  }
}

/** What is answered before the worker has started. */
const ALWAYS_ANSWERED: ReadonlySet<string> = new Set(['/health', '/metrics'])

/** Runs a handler; its errors become answers, and what belongs to another worker is sent there. */
async function answer(
  options: RestSettings,
  asked: Mount['asked'],
  route: Route,
  request: RestRequest,
): Promise<Answer> {
  const { clock, http } = options
  if (asked.health() === 'starting' && !ALWAYS_ANSWERED.has(route.path)) {
    return errorAnswer(503, 'Worker is still starting up.')
  }
  try {
    return await withTimeout(clock, route.handle(request))
  } catch (error) {
    if (!(error instanceof RequestTargetError)) return failure(options, request, error)
    try {
      return await forward(request, error, http, REQUEST_TIMEOUT_MS)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      return errorAnswer(500, `IO Error trying to forward REST request: ${reason}`)
    }
  }
}

function withTimeout(clock: Clock, work: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(
      REQUEST_TIMEOUT_MS,
      () => reject(new HerderError('TIMEOUT', 'Request timed out. The worker is still waiting for the operation.')),
      { unref: true },
    )
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}

function failure({ logger }: RestSettings, request: RestRequest, error: unknown): Answer {
  if (error instanceof HerderError) return errorAnswer(error.status, error.message)
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as { code?: unknown } | null)?.code
  const status = code === 'CONFIG' ? 400 : 500
  if (status === 500) logger.error({ err: error, method: request.method, path: request.url }, 'a REST request failed')
  return errorAnswer(status, message)
}

/** A path that exists with other methods is 405, any other 404. */
function notFound(options: RestSettings, paths: readonly string[], request: FastifyRequest): Answer {
  const [path = '/'] = request.url.split('?')
  if (request.method === 'OPTIONS' && options.cors.allowOrigin !== '') {
    return { status: 200, headers: preflightHeaders(options.cors) }
  }
  const exists = paths.some((pattern) => patternOf(pattern).test(path))
  return exists ? errorAnswer(405, 'HTTP 405 Method Not Allowed') : errorAnswer(404, 'HTTP 404 Not Found')
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:[a-z]+/g, '[^/]+')}/?$`)
}

function send(options: RestSettings, request: FastifyRequest, reply: FastifyReply, result: Answer): FastifyReply {
  reply.code(result.status)
  reply.headers(corsHeaders(options.cors, request.headers.origin))
  for (const rule of options.responseHeaders) {
    // Fastify keeps one value a name, but lists for set-cookie only: `add` appends to what is there.
    const present = reply.getHeader(rule.name)
    const value = headerValue(rule, options.clock.now())
    const appends = rule.action.startsWith('add') && present !== undefined
    reply.header(rule.name, appends ? `${String(present)}, ${value}` : value)
  }
  if (result.headers) reply.headers(result.headers)
  if (result.body === undefined) return reply.send()
  if (typeof result.body === 'string') return reply.send(result.body)
  reply.type('application/json')
  return reply.send(Buffer.isBuffer(result.body) ? result.body : JSON.stringify(result.body))
}
