import { expect, test } from 'vitest'
import {
  backoffMs,
  classifyHttpStatus,
  dataFault,
  isPassingNetworkError,
  retriable,
  retryAfterMs,
  withRetries,
} from '../../../../connectors/_shared/retry/index.ts'

const backoff = { maxRetries: 3, backoffMs: 100, maxBackoffMs: 250 }

test('waits double up to the longest, half of each by chance, and never undercut what was asked for', () => {
  expect([1, 2, 3, 1000].map((retry) => backoffMs(backoff, retry, () => 1))).toEqual([100, 200, 250, 250])
  expect([1, 2, 3].map((retry) => backoffMs(backoff, retry, () => 0))).toEqual([50, 100, 125])
  expect(backoffMs(backoff, 1, () => 0, 9000)).toBe(9000)
})

test.each([
  [200, undefined],
  [302, undefined],
  [400, 'data'],
  [413, 'data'],
  [401, 'fatal'],
  [404, 'fatal'],
  [429, 'retriable'],
  [503, 'retriable'],
  [520, 'retriable'],
  [501, 'fatal'],
])('status %d is %s', (status, kind) => {
  expect(classifyHttpStatus(status)).toBe(kind)
})

test('Retry-After is seconds or a date', () => {
  expect(retryAfterMs('3')).toBe(3000)
  expect(retryAfterMs('Wed, 21 Oct 2015 07:28:05 GMT', Date.parse('Wed, 21 Oct 2015 07:28:00 GMT'))).toBe(5000)
  expect(retryAfterMs('Wed, 21 Oct 2015 07:28:05 GMT', Date.parse('Wed, 21 Oct 2016 07:28:00 GMT'))).toBe(0)
  expect(retryAfterMs('soon')).toBeUndefined()
  expect(retryAfterMs(null)).toBeUndefined()
})

test('network errors are recognised below their wrappings, and only when all addresses failed by them', () => {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  expect(isPassingNetworkError(new Error('fetch failed', { cause: refused }))).toBe(true)
  expect(isPassingNetworkError(new AggregateError([refused, refused]))).toBe(true)
  expect(isPassingNetworkError(new AggregateError([refused, new Error('other')]))).toBe(false)
  expect(isPassingNetworkError(Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }))).toBe(false)
  expect(isPassingNetworkError(undefined)).toBe(false)
})

test('an operation is tried again while its failure may pass, as often as allowed', async () => {
  const waits: number[] = []
  const pauses = { random: () => 1, pause: async (ms: number) => void waits.push(ms) }
  const run = (failures: number, kind: 'retriable' | 'data') => {
    let calls = 0
    const operation = async () => {
      if (++calls <= failures) throw new Error(`failure ${calls}`)
      return calls
    }
    return withRetries(operation, { backoff, classify: kind === 'data' ? dataFault : (e) => retriable(e), pauses })
  }
  expect(await run(2, 'retriable')).toBe(3)
  expect(waits).toEqual([100, 200])
  await expect(run(9, 'retriable')).rejects.toThrow('failure 4')
  await expect(run(9, 'data')).rejects.toThrow('failure 1')
})

test('an aborted signal ends the waiting with the last failure', async () => {
  const abort = new AbortController()
  const failing = withRetries(async () => Promise.reject(new Error('away')), {
    backoff: { maxRetries: 3, backoffMs: 600_000, maxBackoffMs: 600_000 },
    classify: (error) => retriable(error),
    signal: abort.signal,
    onRetry: () => queueMicrotask(() => abort.abort()),
  })
  await expect(failing).rejects.toThrow('away')
})
