import { expect, test } from 'vitest'
import type { Logger } from '../../../src/base/index.ts'
import { createConnectLogger } from '../../../src/cli/connect-logger.ts'

function recorded() {
  const lines: string[] = []
  const line = (_: object, message: string) => void lines.push(message)
  const sink: Logger = { debug: line, info: line, warn: line, error: line, child: () => sink }
  return { lines, ...createConnectLogger(sink) }
}

test('the level of a connector counts for its lines only, as fields or as context', () => {
  const { lines, logger, levels } = recorded()
  levels.set('root', 'WARN', 1)
  levels.set('connector.a', 'DEBUG', 1)
  logger.debug({ connector: 'a', task: 0 }, 'of a')
  logger.child({ connector: 'a' }).debug({}, 'of a, by its context')
  logger.info({ connector: 'b' }, 'of b')
  logger.info({}, 'of the worker')
  expect(lines).toEqual(['of a', 'of a, by its context'])
})

test('connector and worker are set apart, and root counts for what is not set', () => {
  const { lines, logger, levels } = recorded()
  levels.set('root', 'ERROR', 1)
  levels.set('connector', 'WARN', 1)
  logger.warn({ connector: 'a.b' }, 'of a connector')
  logger.warn({}, 'of the worker')
  levels.set('worker', 'INFO', 2)
  levels.set('connector', 'OFF', 2)
  logger.info({}, 'of the worker, later')
  logger.error({ connector: 'a.b' }, 'of a connector, later')
  expect(lines).toEqual(['of a connector', 'of the worker, later'])
})
