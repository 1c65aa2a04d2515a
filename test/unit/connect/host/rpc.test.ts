import { describe, expect, it } from 'vitest'
import { ConfigError } from '@millrace/sdk'
import { RemoteError } from '../../../../src/connect/host/remote-error.ts'
import { type Channel, type Handlers, RpcPeer } from '../../../../src/connect/host/rpc.ts'
import { formatTrace } from '../../../../src/connect/host/trace.ts'

type Side = { add: { params: [number, number]; result: number }; fail: { params: null; result: void } }

function pair(left: Handlers<Side>, right: Handlers<Side>) {
  const listeners: ((message: unknown) => void)[] = []
  let open = true
  const channel = (own: number): Channel => ({
    send(message) {
      if (open) queueMicrotask(() => listeners[1 - own]?.(structuredClone(message)))
      return open
    },
    onMessage: (listener) => {
      listeners[own] = listener
    },
  })
  const a = new RpcPeer<Side, Side>(channel(0), left)
  const b = new RpcPeer<Side, Side>(channel(1), right)
  return { a, b, cut: () => (open = false) }
}

const handlers: Handlers<Side> = {
  add: ([x, y]) => x + y,
  fail: () => {
    throw new ConfigError('wrong', { key: 'the.key' })
  },
}

describe('calls between processes', () => {
  it('are answered in both directions', async () => {
    const { a, b } = pair(handlers, { ...handlers, add: async ([x, y]) => x * y })
    expect(await Promise.all([a.call('add', [2, 3]), b.call('add', [2, 3])])).toEqual([6, 5])
  })

  it('fail with the code, key and trace of what was thrown on the other side', async () => {
    const { a } = pair(handlers, handlers)
    const error = await a.call('fail', null).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG', key: 'the.key', message: 'wrong' })
    expect((error as RemoteError).trace).toMatch(/^ConfigError: wrong.*\n\s+at /s)
  })

  it('fail when the other side has gone, before or meanwhile', async () => {
    const never: Handlers<Side> = { ...handlers, add: () => new Promise(() => {}) }
    const { a, cut } = pair(handlers, never)
    const open = a.call('add', [1, 1])
    a.close(new Error('gone'))
    await expect(open).rejects.toThrow('gone')
    await expect(a.call('add', [1, 1])).rejects.toThrow('gone')
    const other = pair(handlers, handlers)
    other.cut()
    await expect(other.a.call('add', [1, 1])).rejects.toMatchObject({ code: 'GONE' })
    cut()
  })

  it('of an unknown method fail', async () => {
    const { a } = pair(handlers, {} as Handlers<Side>)
    await expect(a.call('add', [1, 1])).rejects.toThrow('no method add')
  })
})

describe('a trace', () => {
  it('shows the chain of causes, each with its stack', () => {
    const trace = formatTrace(new Error('outer', { cause: new TypeError('inner') }))
    expect(trace).toMatch(/^Error: outer\n\s+at .*\nCaused by: TypeError: inner\n\s+at /s)
  })

  it('survives causes in a circle and things that are no errors', () => {
    const error = new Error('a')
    error.cause = error
    expect(formatTrace(error).match(/Caused by/g)?.length).toBeLessThan(20)
    expect(formatTrace('just text')).toBe('just text')
    expect(formatTrace({ a: 1n })).toContain('not an Error')
    expect(formatTrace({ a: 1 })).toContain('{"a":1}')
  })
})
