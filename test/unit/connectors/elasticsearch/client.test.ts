import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterEach, expect, test } from 'vitest'
import { connect } from '../../../../connectors/elasticsearch/client.ts'
import { config } from '../../../../connectors/elasticsearch/config.ts'
import { failureOf } from '../../../../connectors/elasticsearch/failures.ts'
import { tlsOptions } from '../../../../connectors/elasticsearch/tls-options.ts'

interface Heard {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A server that says what it is by its headers, and answers everything with this status. */
async function fakeServer(headers: Record<string, string>, status = 200, body: object = {}) {
  const heard: Heard[] = []
  const port = await listen(
    createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        heard.push({ line: `${request.method} ${request.url}`, headers: request.headers, body: Buffer.concat(chunks) })
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
      })
    }),
  )
  return { heard, port, url: `http://127.0.0.1:${port}` }
}

const patient = { 'connection.timeout.ms': '60000', 'read.timeout.ms': '60000' }
const parse = (raw: Record<string, string>) => parseConfigOrThrow(config, { ...patient, ...raw })
const elastic = { 'x-elastic-product': 'Elasticsearch' }
const bulk = { method: 'POST', path: '/_bulk', lines: Buffer.from('{"index":{}}\n{}\n') } as const

test.each([
  ['elasticsearch-9', 'application/vnd.elasticsearch+x-ndjson; compatible-with=9'],
  ['elasticsearch-8', 'application/vnd.elasticsearch+x-ndjson; compatible-with=8'],
  ['opensearch', 'application/x-ndjson'],
])('a server that is %s by name is spoken to in its media type, and is not asked', async (kind, type) => {
  const server = await fakeServer(kind === 'opensearch' ? {} : elastic)
  const client = await connect(parse({ 'connection.url': server.url, 'elastic.server': kind }))
  await client.request(bulk)
  await client.close()
  expect(server.heard.map(({ line }) => line)).toEqual(['POST /_bulk'])
  expect(server.heard[0]?.headers['content-type']).toBe(type)
  expect(String(server.heard[0]?.body)).toBe(String(bulk.lines))
})

test('user and password are sent, and requests are compressed when asked for', async () => {
  const server = await fakeServer(elastic)
  const login = { 'connection.username': 'u', 'connection.password': 'p' }
  const client = await connect(parse({ 'connection.url': server.url, ...login, 'connection.compression': 'true' }))
  await client.request(bulk)
  await client.close()
  expect(client.kind).toBe('elasticsearch-9')
  const [probe, request] = server.heard
  expect(probe?.line).toBe('GET /')
  expect(probe?.headers.authorization).toBe(`Basic ${btoa('u:p')}`)
  expect(String(gunzipSync(request!.body))).toBe(String(bulk.lines))
})

test('a refused login is said at once', async () => {
  const server = await fakeServer(elastic, 401)
  await expect(connect(parse({ 'connection.url': server.url }))).rejects.toThrow('refused the login')
})

test('errors of the client are understood: statuses, and a server that is away', async () => {
  const server = await fakeServer(elastic, 429, { error: { type: 'busy', reason: 'later' } })
  const client = await connect(parse({ 'connection.url': server.url, 'elastic.server': 'elasticsearch-9' }))
  const busy = failureOf(await client.request(bulk).catch((error: unknown) => error))
  expect(busy).toMatchObject({ kind: 'retriable' })
  expect(busy.error.message).toBe('the server answered 429: busy: later')
  await client.close()
  const gone = await connect(parse({ 'connection.url': 'http://127.0.0.1:1', 'elastic.server': 'elasticsearch-8' }))
  expect(failureOf(await gone.request(bulk).catch((error: unknown) => error)).kind).toBe('retriable')
  await gone.close()
})

test('requests go through the proxy, with its own user', async () => {
  const server = await fakeServer(elastic)
  const tunnels: (string | undefined)[] = []
  const proxy = createServer()
  proxy.on('connect', (request, socket, head) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`)
    const target = connectSocket(server.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      target.pipe(socket).pipe(target)
    })
    target.on('error', () => socket.destroy())
    socket.on('error', () => target.destroy())
  })
  const port = await listen(proxy)
  const way = { 'proxy.host': '127.0.0.1', 'proxy.port': String(port), 'proxy.username': 'a', 'proxy.password': 'b' }
  const client = await connect(parse({ 'connection.url': server.url, 'elastic.server': 'elasticsearch-9', ...way }))
  await client.request(bulk)
  await client.close()
  expect(server.heard).toHaveLength(1)
  expect(tunnels).toEqual([`127.0.0.1:${server.port} Basic ${btoa('a:b')}`])
})

test('TLS takes PEM text, PEM files and PKCS12 files, and names a file that cannot be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-tls-'))
  try {
    const file = join(folder, 'store')
    await writeFile(file, 'content')
    const of = (raw: Record<string, string>) =>
      tlsOptions(
        parse(
          Object.fromEntries([
            ['connection.url', 'https://a'],
            ...Object.entries(raw).map(([k, v]) => [`elastic.https.ssl.${k}`, v]),
          ]),
        ),
      )
    const content = Buffer.from('content')
    expect(of({})).toEqual({})
    expect(of({ 'truststore.certificates': 'pem' })).toEqual({ ca: 'pem' })
    expect(of({ 'truststore.location': file })).toEqual({ ca: content })
    expect(of({ 'keystore.location': file, 'key.password': 's' })).toEqual({
      cert: content,
      key: content,
      passphrase: 's',
    })
    const pkcs12 = { 'keystore.location': file, 'keystore.type': 'PKCS12', 'keystore.password': 's' }
    expect(of(pkcs12)).toEqual({ pfx: content, passphrase: 's' })
    expect(of({ 'endpoint.identification.algorithm': '' })).toHaveProperty('checkServerIdentity')
    expect(() => of({ 'truststore.location': join(folder, 'none') })).toThrow(
      'elastic.https.ssl.truststore.location: the file',
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
