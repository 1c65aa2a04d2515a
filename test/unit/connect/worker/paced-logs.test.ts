import { beforeEach, expect, test } from 'vitest'
import type { Logger } from '../../../../src/base/index.ts'
import { PacedLogs } from '../../../../src/connect/worker/paced-logs.ts'
import { SimClock } from '../../../simulation/sim-clock.ts'

const lines: string[] = []
let clock: SimClock
let logs: PacedLogs

function loggerOf(context: object): Logger {
  const line = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify({ ...context, ...fields })}`)
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (more) => loggerOf({ ...context, ...more }),
  }
}

beforeEach(() => {
  lines.length = 0
  clock = new SimClock()
  logs = new PacedLogs(loggerOf({ connector: 'c' }), clock)
})

test('the first line of a text is written at once, and the others of a minute as one with their number', async () => {
  const logger = logs.of({ transformation: 't' })
  for (let i = 0; i < 1000; i++) logger.warn({ i }, 'dropped')
  expect(lines).toEqual(['warn dropped {"connector":"c","transformation":"t","i":0}'])
  await clock.advance(60_000)
  expect(lines.slice(1)).toEqual(['warn dropped {"connector":"c","transformation":"t","i":0,"repeated":999}'])
  logger.warn({ i: 1000 }, 'dropped')
  await clock.advance(59_000)
  expect(lines).toHaveLength(2)
  await clock.advance(1000)
  expect(lines.at(-1)).toContain('"repeated":1}')
  // After a minute of silence the next line is a first one again.
  await clock.advance(60_000)
  logger.warn({ i: 1001 }, 'dropped')
  expect(lines.slice(3)).toEqual(['warn dropped {"connector":"c","transformation":"t","i":1001}'])
})

test('levels, texts and plugins are counted apart, and debug lines are all written', () => {
  const [one, two] = [logs.of({ transformation: 'one' }), logs.of({ predicate: 'two' })]
  for (const logger of [one, two]) {
    for (let i = 0; i < 3; i++) {
      logger.info({}, 'a')
      logger.error({}, 'a')
      logger.error({}, 'b')
      logger.debug({}, 'd')
    }
  }
  expect(lines).toHaveLength(2 * 3 + 2 * 3)
})

test('what was gathered is written when the task ends, and nothing after it', async () => {
  const logger = logs.of({ converter: 'value.converter' })
  for (let i = 0; i < 5; i++) logger.error({}, 'a')
  logger.error({}, 'b')
  logs.close()
  expect(lines.map((line) => line.slice(0, 7))).toEqual(['error a', 'error b', 'error a'])
  expect(lines[2]).toContain('"repeated":4')
  await clock.advance(600_000)
  expect(lines).toHaveLength(3)
})

test('texts that differ for each record do not fill the log nor the memory', () => {
  const logger = logs.of({ transformation: 't' })
  for (let i = 0; i < 100_000; i++) logger.warn({}, `record ${i}`)
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)).toContain('more lines than are written')
  logs.close()
  expect(lines.at(-1)).toContain('"repeated":99899')
})
