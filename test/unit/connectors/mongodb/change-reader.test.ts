// What a replica set does to change streams and mongo-java-server cannot, played by a scripted stream.
import { isRetriable } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { ChangeReader, type EventStream } from '../../../../connectors/mongodb/change-reader.ts'
import { memoryLogger } from '../../../integration/support/task-contract.ts'

type Answer = object | null | Error

const token = (n: number) => ({ _data: String(n) })
const event = (n: number, operationType = 'insert') => ({ _id: token(n), operationType })

/** Gives what it was told; all events before the next `null` are here at once. */
class ScriptedStream implements EventStream {
  readonly startAfter: unknown
  resumeToken: unknown
  closed = false
  readonly #script: Answer[]

  constructor(startAfter: unknown, script: readonly Answer[]) {
    this.startAfter = startAfter
    this.#script = [...script]
  }

  async tryNext(): Promise<Record<string, unknown> | null> {
    const answer = this.#script.shift() ?? null
    if (answer instanceof Error) throw answer
    if (answer !== null && '_id' in answer) this.resumeToken = answer._id
    if (answer !== null && !('_id' in answer)) {
      // How far the server has looked, with nothing found.
      this.resumeToken = answer
      return null
    }
    if (this.#script.length === 0 && answer === null) this.closed = this.isOver
    return answer as Record<string, unknown> | null
  }

  isOver = false

  bufferedCount(): number {
    const end = this.#script.findIndex((answer) => answer === null || !('_id' in answer))
    return end < 0 ? this.#script.length : end
  }

  once(): void {}

  async close(): Promise<void> {
    this.closed = true
  }
}

function reader(scripts: readonly (readonly Answer[])[], options: { from?: object; toleratesLoss?: boolean } = {}) {
  const opened: ScriptedStream[] = []
  const logger = memoryLogger()
  const it = new ChangeReader(
    {
      open(startAfter) {
        const stream = new ScriptedStream(startAfter, scripts[opened.length] ?? [])
        opened.push(stream)
        return stream
      },
      toleratesLoss: options.toleratesLoss ?? false,
      logger,
      pauses: { pause: async () => undefined, random: () => 0 },
    },
    options.from as Record<string, unknown> | undefined,
  )
  const next = async (max = 100) => (await it.next(max, new AbortController().signal)).map(({ _id }) => _id)
  return { it, opened, next, lines: logger.lines }
}

test('events come in the batches that are here, no larger than asked for', async () => {
  const { next, it } = reader([[event(1), event(2), event(3), null, event(4)]])
  expect(await next(2)).toEqual([token(1), token(2)])
  expect(await next(2)).toEqual([token(3)])
  expect(await next()).toEqual([])
  expect(await next()).toEqual([token(4)])
  expect(it.position).toBe('{"_data": "4"}')
})

test('after an invalidate event a new stream goes on behind it, so that nothing is left out', async () => {
  const { next, opened } = reader([[event(1), event(2, 'invalidate')], [event(3)]])
  expect(await next()).toEqual([token(1), token(2)])
  expect(opened[0]?.closed).toBe(true)
  expect(await next()).toEqual([token(3)])
  expect(opened.map(({ startAfter }) => startAfter)).toEqual([undefined, token(2)])
})

test('a stream that the server closes without a word is opened again behind the last event', async () => {
  const { next, opened, lines } = reader([[event(1), null], [event(2)]])
  expect(await next()).toEqual([token(1)])
  opened[0]!.isOver = true
  expect(await next()).toEqual([])
  expect(await next()).toEqual([token(2)])
  expect(opened[1]?.startAfter).toEqual(token(1))
  expect(lines.join()).toContain('opened again')
})

test('a network that breaks is told as an error that passes, and the next read goes on behind the last event', async () => {
  const broken = Object.assign(new Error('connection closed'), { name: 'MongoNetworkError' })
  const { next, opened } = reader([[event(1), broken], [event(2)]])
  // What was read before the break is given, not lost.
  expect(await next()).toEqual([token(1)])
  const error = await next().catch((reason: unknown) => reason)
  expect(isRetriable(error)).toBe(true)
  expect(await next()).toEqual([token(2)])
  expect(opened[1]?.startAfter).toEqual(token(1))
})

test('an error between the events of a batch loses none of them', async () => {
  const broken = Object.assign(new Error('connection closed'), { name: 'MongoNetworkError' })
  const first = new ScriptedStream(undefined, [event(1), broken])
  first.bufferedCount = () => 1
  const second = new ScriptedStream(undefined, [event(1), event(2)])
  const streams = [first, second]
  const tokens: unknown[] = []
  const open = (startAfter: unknown): EventStream => {
    tokens.push(startAfter)
    return streams.shift()!
  }
  const it = new ChangeReader({ open, toleratesLoss: false, logger: memoryLogger() }, undefined)
  const { signal } = new AbortController()
  await expect(it.next(10, signal)).rejects.toThrow('connection closed')
  expect((await it.next(10, signal)).map(({ _id }) => _id)).toEqual([token(1), token(2)])
  // From the beginning: the first event was not given to anybody.
  expect(tokens).toEqual([undefined, undefined])
})

const LOST = [
  Object.assign(new Error('Executor error'), { code: 280 }),
  Object.assign(new Error('history lost'), { code: 286 }),
  Object.assign(new Error('invalid'), { code: 260 }),
  new Error('the resume token was not found'),
  new Error('Resume of change stream was not possible, as the resume point may no longer be in the oplog.'),
]

test.each(LOST)('a lost resume token (%s) fails the task, with what can be done', async (error) => {
  const { next } = reader([[error]], { from: token(5) })
  await expect(next()).rejects.toThrow(/cannot go on from its resume token.*offset\.partition\.name/)
})

test.each(LOST)('a lost resume token (%s) with tolerance starts anew and says loudly what it means', async (error) => {
  const { next, opened, lines } = reader([[error], [event(9)]], { from: token(5), toleratesLoss: true })
  expect(await next()).toEqual([])
  expect(await next()).toEqual([token(9)])
  expect(opened.map(({ startAfter }) => startAfter)).toEqual([token(5), undefined])
  expect(lines.join()).toContain('the resume token is lost, and with it maybe events')
})

test('what the server refuses is fatal, with tolerance too', async () => {
  const refused = Object.assign(new Error('Unrecognized pipeline stage'), { code: 40_324 })
  const { next } = reader([[refused]], { toleratesLoss: true })
  const error = await next().catch((reason: unknown) => reason)
  expect(isRetriable(error)).toBe(false)
  expect(String(error)).toContain('the change stream broke: Unrecognized pipeline stage')
})

test('the place that the server has looked up to is known while nothing happens', async () => {
  const { next, it } = reader([[event(1), null, token(7)]])
  await next()
  await next()
  expect(await next()).toEqual([])
  expect(it.position).toBe('{"_data": "7"}')
})

test('a read that is called off is answered to the next one', async () => {
  const answer = Promise.withResolvers<Record<string, unknown> | null>()
  const stream: EventStream = {
    tryNext: () => answer.promise,
    bufferedCount: () => 0,
    resumeToken: undefined,
    closed: false,
    once: () => undefined,
    close: async () => undefined,
  }
  const it = new ChangeReader({ open: () => stream, toleratesLoss: false, logger: memoryLogger() }, undefined)
  const abort = new AbortController()
  const reading = it.next(10, abort.signal)
  abort.abort()
  expect(await reading).toEqual([])
  answer.resolve(event(1))
  expect(await it.next(10, new AbortController().signal)).toEqual([event(1)])
})
