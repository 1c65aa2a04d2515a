import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HttpApi, startHttpApi } from '../services/http-api.ts'
import { order, startHttpSink } from './support/http-sink.ts'

describe('the sink and a real server', () => {
  let api: HttpApi
  beforeEach(async () => {
    api = await startHttpApi()
  })
  afterEach(() => api?.stop())

  test('one record a request, with its key and place, in order', async () => {
    const sink = await startHttpSink({
      'http.url': `${api.url}/\${topic}/\${key}`,
      'http.headers.additional': 'x-a:1,x-b:2',
    })
    await sink.task.put([order(0, { n: 1n }, 'a b'), order(1, 'text'), order(2, Buffer.from('bytes'))])
    await sink.delivered(3)
    const received = await api.received()
    expect(received.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', '/orders/a%20b', '{"n":1}'],
      ['POST', '/orders/k1', 'text'],
      ['POST', '/orders/k2', 'bytes'],
    ])
    expect(received.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'orders-0-0',
      'orders-0-1',
      'orders-0-2',
    ])
    expect(received[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'x-a': '1', 'x-b': '2' })
    await sink.task.stop?.()
  })

  test('batches of lines, of arrays, and of what shares a key', async () => {
    const lines = await startHttpSink({ 'http.url': `${api.url}/l`, 'batching.enabled': 'true', 'batch.max.size': '2' })
    await lines.task.put([0, 1, 2].map((n) => order(n, { n })))
    await lines.delivered(3)
    const arrays = await startHttpSink({
      'http.api.url': `${api.url}/a`,
      'batch.max.size': '10',
      'batch.json.as.array': 'true',
      'batch.key.pattern': '${key}',
      'regex.patterns': 'n~(\\d)',
      'regex.replacements': '${key}~$1$1',
    })
    await arrays.task.put([0, 1, 2].map((n) => order(n, { n }, n === 1 ? 'y' : 'x')))
    await arrays.delivered(3)
    const bodies = (await api.received()).map(({ url, body }) => `${url} ${body}`)
    expect(bodies.slice(0, 2)).toEqual(['/l {"n":0}\n{"n":1}\n', '/l {"n":2}\n'])
    expect(new Set(bodies.slice(2))).toEqual(new Set(['/a [{"x":00},{"x":22}]', '/a [{"y":11}]']))
    await Promise.all([lines.task.stop?.(), arrays.task.stop?.()])
  })

  test('a bad record of a batch is found and reported, the others are delivered, and answers have topics', async () => {
    const sink = await startHttpSink({
      'http.url': `${api.url}/orders`,
      'batching.enabled': 'true',
      'reporter.result.topic.name': '${connector}-ok',
      'reporter.error.topic.name': '${connector}-errors',
    })
    await sink.task.put([0, 1, 2, 3, 4].map((n) => order(n, n === 2 ? 'bad' : `good${n}`)))
    await sink.delivered(5)
    expect(sink.reported).toEqual([2])
    const lines = (await api.received()).flatMap(({ body }) => body.split('\n').filter((line) => line !== ''))
    expect(lines.toSorted()).toEqual(['good0', 'good1', 'good3', 'good4'])
    const ofTopic = (topic: string) => sink.published.filter((each) => each.topic === topic)
    expect(
      ofTopic('http-test-ok')
        .map(({ headers }) => Number(headers['input_record_offset']))
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 3, 4])
    expect(ofTopic('http-test-errors')).toEqual([
      {
        topic: 'http-test-errors',
        key: 'k2',
        value: '{"error":"a record is bad"}',
        headers: {
          input_record_topic: 'orders',
          input_record_partition: '0',
          input_record_offset: '2',
          input_record_timestamp: '1700000000000',
          http_status: '422',
        },
      },
    ])
    await sink.task.stop?.()
  })

  test.each([
    ['behavior.on.error=fail', { 'behavior.on.error': 'fail' }, /cannot be written: POST .* was answered with 422/],
    ['no value', { 'behavior.on.null.values': 'fail' }, /has no value/],
    ['the login', { 'http.url': 'URL/forbidden' }, /answered with 403: {"error":"not for you"}/],
    ['a redirection', { 'http.url': 'URL/moved' }, /answered with 302/],
  ])('%s fails the task with the reason', async (what, more, message) => {
    const raw = Object.fromEntries(Object.entries(more).map(([key, value]) => [key, value.replace('URL', api.url)]))
    const sink = await startHttpSink({ 'http.url': `${api.url}/orders`, ...raw }, false)
    await sink.task.put([order(0, what === 'no value' ? null : 'bad')])
    await expect(sink.delivered(1)).rejects.toThrow(message)
    await sink.task.stop?.()
  })

  test('deletes, and records that settings leave out', async () => {
    const deleting = await startHttpSink({ 'http.url': `${api.url}/orders`, 'behavior.on.null.values': 'delete' })
    await deleting.task.put([order(0, 'x', 'a/b'), order(1, null, 'a/b')])
    await deleting.delivered(2)
    expect((await api.received()).map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /orders',
      'DELETE /orders/a%2Fb',
    ])
    const ignoring = await startHttpSink({ 'http.api.url': `${api.url}/orders`, 'behavior.on.error': 'log' }, false)
    await ignoring.task.put([order(0, null), order(1, 'bad'), order(2, 'x')])
    await ignoring.delivered(3)
    expect(ignoring.lines.join()).toContain("(topic='orders',partition=0,offset=1) is left out: POST")
    expect(await api.received()).toHaveLength(3)
    await Promise.all([deleting.task.stop?.(), ignoring.task.stop?.()])
  })
})

test.each([1, 4])(
  'with %i requests at a time every record is sent in the order of its key, though a third of the requests fail',
  async (inFlight) => {
    const api = await startHttpApi({ seed: 3, faultRate: 0.3 })
    const sink = await startHttpSink({
      'http.url': `${api.url}/secure/orders`,
      'batching.enabled': 'true',
      'batch.max.size': '7',
      'max.in.flight.requests': String(inFlight),
      'http.authorization.type': 'oauth2',
      'oauth2.access.token.url': `${api.url}/token`,
      'oauth2.client.id': 'client',
      'oauth2.client.secret': 'sécret',
    })
    const records = Array.from({ length: 300 }, (_, n) => order(n, `k${n % 10} ${n}`, `k${n % 10}`))
    for (let from = 0; from < records.length; from += 50) await sink.task.put(records.slice(from, from + 50))
    await sink.delivered(300)
    const seen = new Map<string, number[]>()
    for (const { body } of await api.received()) {
      for (const line of body.split('\n').filter((text) => text !== '')) {
        const [key, n] = line.split(' ') as [string, string]
        seen.set(key, [...(seen.get(key) ?? []), Number(n)])
      }
    }
    for (let key = 0; key < 10; key++) {
      const numbers = seen.get(`k${key}`) ?? []
      // What is sent again comes again as it was: each is first seen in order.
      const first = numbers.filter((n, index) => numbers.indexOf(n) === index)
      expect(first).toEqual(Array.from({ length: 30 }, (_, n) => n * 10 + key))
      expect(numbers.at(-1)).toBe(290 + key)
    }
    expect((await api.state()).faults).toBeGreaterThan(0)
    await sink.task.stop?.()
    await api.stop()
  },
)
