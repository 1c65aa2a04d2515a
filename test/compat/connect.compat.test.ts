// What a worker of Kafka Connect 4.3.1 and one of Millrace do when they are asked for the same.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { kafkaMissing } from '../services/kafka.ts'
import { requireCommand } from '../services/require.ts'
import { notTolerated, retried, sourceErrors, tolerated } from './connect/dead-letters.ts'
import { metrics } from './connect/metrics.ts'
import { type Pair, startPair } from './connect/pair.ts'
import { lifeOfAConnector, refusals, validations } from './connect/rest-answers.ts'
import { restarts } from './connect/restarts.ts'

const missing = kafkaMissing()
const noPromtool = requireCommand('promtool', 'apt-get install prometheus')

describe('beside Kafka Connect 4.3.1', () => {
  const it = test.skipIf(missing !== null)
  let pair: Pair

  beforeAll(async () => {
    if (missing !== null) return
    pair = await startPair()
    await writeFile(join(pair.folder, 'in.txt'), 'one\ntwo\n')
  })

  afterAll(() => pair?.stop())

  it('what is wrong is refused in the same words', () => refusals(pair))
  it('the life of a connector has the same answers', () => lifeOfAConnector(pair))
  it('validation counts the same errors', () => validations(pair))
  it('a restart answers the same and restarts the same, whatever it includes', () => restarts(pair))
  it('dead letters of a tolerant sink have the same bytes and headers, and the log the same lines', () =>
    tolerated(pair))
  it('a task that tolerates nothing fails with its cause, behind a dead letter', () => notTolerated(pair))
  it('what is retriable is tried again for the same time, then is a dead letter', () => retried(pair))
  test.skipIf(missing !== null || noPromtool)(
    'metrics are what Prometheus takes, under the names of Kafka Connect',
    () => metrics(pair),
  )
  it('a tolerant source leaves out what fails and logs the same record', () => sourceErrors(pair))
})
