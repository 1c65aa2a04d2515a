// A JSON API as a process of its own, which tests can kill: lists with pages, tokens, and a place to send records to.
// Faults come by a seed: 429 with Retry-After, 500, connections that are reset, answers that come late.
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../../src/base/index.ts'

const [port, file, seed, rate] = process.argv.slice(2).map(String) as [string, string, string, string]
const random = seededRandom(Number(seed))
const faultRate = Number(rate)
const START = Date.UTC(2024, 0, 1)
const TOKEN_REQUESTS = 20

let tokens = 0
let tokenUses = 0
let faults = 0
let size = 0
const requests: string[] = []

/** Three records share each time. */
const itemOf = (id: number) => ({
  id: `k${id}`,
  at: new Date(START + Math.floor(id / 3) * 1000).toISOString(),
  data: { n: id, big: 9_007_199_254_740_993n },
})
const textOf = (value: unknown) =>
  JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `#${item}#` : item))
const json = (value: unknown) => textOf(value).replaceAll(/"#(\d+)#"/g, '$1')

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(json(body))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** True when the request has got a fault and needs no answer any more. */
async function fault(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  if (random.next() >= faultRate) return false
  faults++
  const kind = Math.floor(random.next() * 4)
  if (kind === 0) send(response, 429, { error: 'slow down' }, { 'retry-after': '0' })
  else if (kind === 1) send(response, 500, { error: 'oops' })
  else if (kind === 2) request.socket.destroy()
  else await sleep(20)
  return kind !== 3
}

function list(url: URL, response: ServerResponse): void {
  const { searchParams: q } = url
  const since = Date.parse(q.get('since') ?? '1970-01-01T00:00:00Z')
  const limit = Number(q.get('limit') ?? 10)
  let items = Array.from({ length: size }, (_, id) => itemOf(id)).filter(({ at }) => Date.parse(at) >= since)
  if (q.get('order') === 'desc') items = items.reverse()
  const first = q.has('page') ? (Number(q.get('page')) - 1) * limit : Number(q.get('cursor') ?? q.get('from') ?? 0)
  const page = items.slice(first, first + limit)
  const next = first + limit < items.length ? first + limit : null
  const headers: Record<string, string> = {}
  if (next !== null) {
    const target = new URL(url)
    target.searchParams.set('from', String(next))
    headers['link'] = `<${url.pathname}>; rel="first", <${target.pathname}${target.search}>; rel="next"`
  }
  send(response, 200, { items: page, meta: { next: next === null ? null : String(next), total: size } }, headers)
}

async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await bodyOf(request))
  const expected = `Basic ${Buffer.from('client:s%C3%A9cret').toString('base64')}`
  const isKnown =
    request.headers.authorization === expected ||
    (form.get('client_id') === 'client' && form.get('client_secret') === 'sécret')
  if (!isKnown || form.get('grant_type') !== 'client_credentials')
    return send(response, 401, { error: 'invalid_client' })
  tokenUses = 0
  send(response, 200, { access_token: `token-${++tokens}`, expires_in: 3600 })
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request)
  if (body.includes('bad')) return send(response, 422, { error: 'a record is bad' })
  const { method, url, headers } = request
  // Before the answer, so that what is acknowledged outlives the process.
  appendFileSync(file, `${JSON.stringify({ method, url, headers, body })}\n`)
  // Received, but the client never hears of it.
  if (random.next() < faultRate / 4) return void request.socket.destroy()
  send(response, 200, { ok: true })
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`)
  if (url.pathname === '/control') {
    if (url.searchParams.has('size')) size = Number(url.searchParams.get('size'))
    return send(response, 200, { requests, faults, tokens })
  }
  requests.push(`${request.method} ${request.url}`)
  if (await fault(request, response)) return
  if (url.pathname === '/token') return token(request, response)
  if (url.pathname.startsWith('/secure')) {
    const isValid = request.headers.authorization === `Bearer token-${tokens}` && ++tokenUses <= TOKEN_REQUESTS
    if (!isValid) return send(response, 401, { error: 'expired' })
  }
  if (url.pathname.endsWith('/items')) return list(url, response)
  if (url.pathname.endsWith('/text')) return void response.end('no json')
  if (url.pathname.endsWith('/moved')) return send(response, 302, {}, { location: '/items' })
  if (url.pathname.endsWith('/forbidden')) return send(response, 403, { error: 'not for you' })
  return receive(request, response)
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => request.socket.destroy())
})
server.listen(Number(port), '127.0.0.1')
