import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SourceRecord } from '@millrace/sdk'
import { type HttpApi, startHttpApi } from '../services/http-api.ts'
import { startHttpSource } from './support/http-source.ts'
import { until } from './worker-harness.ts'

const pointers = {
  'http.response.list.pointer': '/items',
  'http.response.record.offset.pointer': 'key=/id, timestamp=/at',
  'http.offset.initial': 'timestamp=2023-01-01T00:00:00Z',
}
const keyOf = (record: SourceRecord) => (record.key as { key: string }).key
const keys = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `k${from + index}`)

describe('lists of a real server', () => {
  let api: HttpApi
  beforeAll(async () => {
    api = await startHttpApi({ seed: 7, faultRate: 0.3 })
  })
  afterAll(() => api?.stop())

  test.each([
    ['link', {}, 'limit=10'],
    ['cursor', { 'http.pagination.next.pointer': '/meta/next', 'http.pagination.param': 'cursor' }, 'limit=10'],
    ['page', { 'http.pagination.param': 'page' }, 'limit=10'],
    ['page', { 'http.pagination.param': 'page', 'http.pagination.page.size': '10' }, 'limit=10'],
    ['offset', { 'http.pagination.param': 'from' }, 'limit=10'],
    ['link', {}, 'limit=10&order=desc'],
    ['cursor', { 'http.pagination.next.pointer': '/meta/next' }, 'limit=10&order=desc&cursor=${page.cursor!0}'],
  ])(
    'pages by %s with %j and %s: every record once and oldest first, though requests fail',
    async (mode, more, params) => {
      await api.resize(95)
      const source = await startHttpSource({
        ...pointers,
        'http.request.url': `${api.url}/items`,
        'http.request.params': `since=\${offset.timestamp}&${params}`,
        'http.pagination.mode': mode,
        ...more,
      })
      const first = await source.take(95)
      const at = (record: SourceRecord) => record.timestamp ?? 0
      expect(first.map(at)).toEqual(first.map(at).sort((a, b) => a - b))
      expect(new Set(first.map(keyOf))).toEqual(new Set(keys(95)))
      expect(first).toHaveLength(95)
      // The last time has two records more now: what was read is left out, what shares its time is not.
      await api.resize(100)
      const more5 = await source.take(5)
      expect(new Set(more5.map(keyOf))).toEqual(new Set(keys(5, 95)))
      // Nobody asks for what cannot be new.
      await until('it asks for what is newer', async () => {
        await source.poll()
        return (await api.state()).requests.at(-1)?.includes('since=2024') === true
      })
      await source.stop()
    },
  )

  test('values keep digits that a number of JavaScript has not, and the offset is what templates need', async () => {
    await api.resize(1)
    const source = await startHttpSource({ ...pointers, 'http.request.url': `${api.url}/items` })
    const [record] = await source.take(1)
    expect(record?.value).toEqual({
      value: '{"id":"k0","at":"2024-01-01T00:00:00.000Z","data":{"n":0,"big":9007199254740993}}',
    })
    expect(record?.sourceOffset).toEqual({ key: 'k0', timestamp: '2024-01-01T00:00:00Z' })
    expect(record?.timestamp).toBe(Date.UTC(2024, 0, 1))
    await source.stop()
  })

  test('a task that starts again at any record gives all that follow it', async () => {
    await api.resize(30)
    const raw = {
      ...pointers,
      'http.request.url': `${api.url}/items`,
      'http.request.params': 'since=${offset.timestamp}&limit=7',
      'http.pagination.mode': 'link',
    }
    const source = await startHttpSource(raw)
    const all = await source.take(30)
    await source.stop()
    for (const [index, record] of all.slice(0, 29).entries()) {
      const again = await startHttpSource(raw, record.sourceOffset)
      const found = (await again.take(29 - index)).map(keyOf)
      expect(found.slice(-(29 - index))).toEqual(keys(29 - index, index + 1))
      await again.stop()
    }
  })

  test.each(['header', 'form'])(
    'OAuth2 by %s: a token for many requests, and a new one when the server refuses it',
    async (mode) => {
      await api.resize(400)
      const before = (await api.state()).tokens
      const source = await startHttpSource({
        ...pointers,
        'http.request.url': `${api.url}/secure/items`,
        'http.request.params': 'limit=10',
        'http.pagination.mode': 'link',
        'http.auth.type': 'OAuth2',
        'http.auth.oauth2.token.url': `${api.url}/token`,
        'http.auth.oauth2.client.id': 'client',
        'http.auth.oauth2.client.secret': 'sécret',
        'http.auth.oauth2.client.mode': mode,
      })
      expect((await source.take(400)).map(keyOf)).toEqual(keys(400))
      const { tokens } = await api.state()
      expect(tokens - before).toBeGreaterThan(1)
      expect(tokens - before).toBeLessThan(20)
      await source.stop()
    },
  )

  test('a redirection is followed', async () => {
    await api.resize(3)
    const source = await startHttpSource({ ...pointers, 'http.request.url': `${api.url}/moved` })
    expect((await source.take(3)).map(keyOf)).toEqual(keys(3))
    await source.stop()
  })

  test.each([
    ['/forbidden', {}, '/forbidden was answered with 403: {"error":"not for you"}'],
    ['/text', {}, 'is no JSON'],
    ['/items', { 'http.response.record.pointer': '/nothing' }, 'nothing at http.response.record.pointer=/nothing'],
    ['/items', { 'http.response.record.offset.pointer': 'timestamp=/id' }, 'the timestamp "k0" does not fit'],
    ['/items', { 'http.request.params': 'a=${offset.other}' }, '${offset.other}, which has no value yet'],
    [
      '/secure/items',
      {
        'http.auth.type': 'OAuth2',
        'http.auth.oauth2.token.url': 'URL/token',
        'http.auth.oauth2.client.id': 'client',
        'http.auth.oauth2.client.secret': 'hidden-wrong',
      },
      'check client id, secret and scope',
    ],
  ])('%s with %j fails and says why', async (path, more, message) => {
    await api.resize(1)
    const raw = Object.fromEntries(Object.entries(more).map(([key, value]) => [key, value.replace('URL', api.url)]))
    const source = await startHttpSource({ ...pointers, 'http.request.url': `${api.url}${path}`, ...raw })
    const error = await source.take(1).catch((reason: Error) => reason)
    expect(error).toMatchObject({ message: expect.stringContaining(message) as string, retriable: false })
    expect((error as Error).message).not.toContain('hidden-wrong')
    await source.stop()
  })

  test('a poll that waits ends when the task is stopped', async () => {
    const source = await startHttpSource({
      ...pointers,
      'http.request.url': `${api.url}/items`,
      'http.timer.interval.millis': '3600000',
      'http.timer.catchup.interval.millis': '3600000',
    })
    await source.take(1)
    const abort = new AbortController()
    const waiting = source.poll(abort.signal)
    abort.abort()
    expect(await waiting).toBeNull()
    await source.stop()
  })
})

test('a server that is away is asked again, and the task fails with the reason when it stays away', async () => {
  const source = await startHttpSource({ 'http.request.url': 'http://127.0.0.1:1/items', 'http.retry.max': '2' })
  await expect(source.poll()).rejects.toMatchObject({
    message: expect.stringContaining('the server cannot be reached') as string,
    retriable: false,
  })
  expect(source.lines).toHaveLength(2)
  await source.stop()
})
