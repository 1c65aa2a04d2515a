import { expect, test } from 'vitest'
import { postgresMissing } from '../services/postgres.ts'
import { orderProblems, pipelineChaos } from './pipeline.ts'

const missing = postgresMissing(18)

test.skipIf(missing)(
  'kill -9 of a worker, the broker and Postgres under load loses and repeats nothing',
  { timeout: 1_200_000 },
  async () => {
    const lines: string[] = []
    const summary = await pipelineChaos({ rounds: 3, seed: 1, log: (line) => lines.push(line) })
    expect(summary.kills).toEqual({ worker: 1, broker: 1, postgres: 1 })
    expect(summary.committedRows).toBeGreaterThan(100)
  },
)

test('the checker of the order sees a gap and allows a repetition', () => {
  expect(orderProblems(new Map([[1, [0, 1, 2, 1, 2, 3]]]))).toEqual([])
  expect(orderProblems(new Map([[1, [0, 1, 3]]]))).toHaveLength(1)
})
