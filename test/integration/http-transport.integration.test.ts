// The way of the HTTP connectors to their server: TLS, client certificates, proxies, the rate limit.
import { readFileSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  request as sendRequest,
  type RequestListener,
  type Server,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Certificates, createCertificates, opensslMissing } from '../services/certificates.ts'
import { order, startHttpSink } from './support/http-sink.ts'
import { startHttpSource } from './support/http-source.ts'

const noOpenssl = opensslMissing()

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return (server.address() as AddressInfo).port
}

const items: RequestListener = (_request, response) => response.end('[{"id":1},{"id":2}]')
const pointers = { 'http.response.record.offset.pointer': 'key=/id', 'http.retry.max': '0' }

describe.skipIf(noOpenssl)('TLS', () => {
  let certificates: Certificates
  beforeAll(async () => {
    certificates = await createCertificates()
  })
  afterAll(() => certificates?.remove())

  const serve = (handler: RequestListener, more: { requestCert?: boolean; ca?: string } = {}): Promise<number> => {
    const { certificate, key } = certificates.server
    return listen(createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key), ...more }, handler))
  }

  test('a server that the trust store knows is read by the name of its certificate alone', async () => {
    const port = await serve(items)
    const at = (host: string) =>
      startHttpSource({
        ...pointers,
        'http.request.url': `https://${host}:${port}/`,
        'https.ssl.truststore.location': certificates.authority,
      })
    const source = await at('localhost')
    expect(await source.take(2)).toHaveLength(2)
    await source.stop()
    const byAddress = await at('127.0.0.1')
    await expect(byAddress.take(1)).rejects.toThrow(/altnames.*127\.0\.0\.1/)
    await byAddress.stop()
  })

  test('a server that nobody vouches for is refused with the reason, unless all are trusted', async () => {
    const port = await serve(items)
    const raw = { ...pointers, 'http.request.url': `https://localhost:${port}/` }
    for (const more of [{}, { 'https.ssl.truststore.location': certificates.otherAuthority }]) {
      const source = await startHttpSource({ ...raw, ...more })
      await expect(source.take(1)).rejects.toThrow(/certificate/)
      await source.stop()
    }
    const trusting = await startHttpSource({ ...raw, 'http.ssl.trust.all.certs': 'true' })
    expect(await trusting.take(2)).toHaveLength(2)
    await trusting.stop()
  })

  test('the sink shows its certificate, with an encrypted key, to a server that asks for one', async () => {
    const seen: string[] = []
    const port = await serve(
      (request, response) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().subject.CN as string)
        request.resume().on('end', () => response.end())
      },
      { requestCert: true, ca: readFileSync(certificates.authority, 'utf8') },
    )
    const raw = {
      'http.api.url': `https://localhost:${port}/in`,
      'https.ssl.truststore.location': certificates.authority,
      'max.retries': '0',
    }
    const sink = await startHttpSink({
      ...raw,
      'https.ssl.keystore.location': certificates.client.both,
      'https.ssl.key.password': certificates.clientKeyPassword,
    })
    await sink.task.put([order(0, 'a')])
    await sink.delivered(1)
    expect(seen).toEqual(['client'])
    await sink.task.stop?.()

    const nameless = await startHttpSink(raw, false)
    await nameless.task.put([order(0, 'a')])
    await expect(nameless.delivered(1)).rejects.toThrow(/failed and so did 0 retries/)
    expect(seen).toEqual(['client'])
    await nameless.task.stop?.()
  })

  test('a trust store that cannot be read fails the start and names key and file', async () => {
    const missing = `${certificates.folder}/missing.pem`
    await expect(
      startHttpSource({
        ...pointers,
        'http.request.url': 'https://localhost:1/',
        'https.ssl.truststore.location': missing,
      }),
    ).rejects.toThrow(`https.ssl.truststore.location: the file "${missing}" cannot be read`)
  })

  test('a proxy carries the connection without being able to read it, and only for those it knows', async () => {
    const port = await serve(items)
    const proxy = await startProxy('proxy-user', 'proxy-password')
    const raw = {
      ...pointers,
      'http.request.url': `https://localhost:${port}/`,
      'https.ssl.truststore.location': certificates.authority,
      'http.client.proxy.host': '127.0.0.1',
      'http.client.proxy.port': String(proxy.port),
    }
    const login = { 'http.client.proxy.username': 'proxy-user', 'http.client.proxy.password': 'proxy-password' }
    const source = await startHttpSource({ ...raw, ...login })
    expect(await source.take(2)).toHaveLength(2)
    expect(proxy.targets).toEqual([`localhost:${port}`])
    await source.stop()

    const stranger = await startHttpSource(raw)
    await expect(stranger.take(1)).rejects.toThrow(/407|proxy/i)
    await stranger.stop()
  })
})

test('the sink sends through a proxy', async () => {
  let received = 0
  const port = await listen(
    createServer((request, response) => {
      received++
      request.resume().on('end', () => response.end())
    }),
  )
  const proxy = await startProxy('proxy-user', 'proxy-password')
  const sink = await startHttpSink({
    'http.api.url': `http://127.0.0.1:${port}/in`,
    'http.proxy.host': '127.0.0.1',
    'http.proxy.port': String(proxy.port),
    'http.proxy.user': 'proxy-user',
    'http.proxy.password': 'proxy-password',
  })
  await sink.task.put([order(0, 'a')])
  await sink.delivered(1)
  expect(proxy.targets).toEqual([`127.0.0.1:${port}`])
  expect(received).toBe(1)
  await sink.task.stop?.()
})

test('requests keep to the rate limit, those in flight at the same time too', async () => {
  const atMs: number[] = []
  const port = await listen(
    createServer((request, response) => {
      atMs.push(performance.now())
      request.resume().on('end', () => response.end())
    }),
  )
  const sink = await startHttpSink({
    'http.api.url': `http://127.0.0.1:${port}/in`,
    'http.rate.limit.requests.per.second': '50',
    'max.in.flight.requests': '8',
  })
  // Before the first request leaves: what holds only that one up would bring the others close behind it.
  const startedMs = performance.now()
  await sink.task.put(Array.from({ length: 20 }, (_, offset) => order(offset, 'a')))
  await sink.delivered(20)
  // 19 pauses of 20 ms lie between 20 requests. A slow machine only makes it longer; timers may be a little early.
  expect((atMs.at(-1) as number) - startedMs).toBeGreaterThan(19 * 20 - 60)
  await sink.task.stop?.()
})

interface TestProxy {
  readonly port: number
  /** Where it was asked to connect to, by those with the right login. */
  readonly targets: string[]
}

/**
 * A proxy that asks for a login: tunnels by CONNECT (RFC 9110, section 9.3.6), and requests in absolute form (RFC 9112,
 * section 3.2.2) for servers without TLS.
 */
async function startProxy(user: string, password: string): Promise<TestProxy> {
  const targets: string[] = []
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const isKnown = ({ headers }: IncomingMessage): boolean => headers['proxy-authorization'] === expected
  const server = createServer((request, response) => {
    if (!isKnown(request)) return void response.writeHead(407).end()
    const url = new URL(String(request.url))
    targets.push(url.host)
    const { 'proxy-authorization': _login, ...headers } = request.headers
    const onward = sendRequest(url, { method: request.method as string, headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    if (!isKnown(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const target = String(request.url)
    targets.push(target)
    const { hostname, port } = new URL(`http://${target}`)
    const onward = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [socket, onward]) end.on('error', () => [socket, onward].forEach((one) => one.destroy()))
  })
  return { port: await listen(server), targets }
}
