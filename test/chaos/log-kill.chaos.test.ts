import { expect, test } from 'vitest'
import { logKillChaos } from './log-kill.ts'

test('kill -9 of a process that appends loses nothing acknowledged and repeats nothing', async () => {
  const lines: string[] = []
  const summary = await logKillChaos({ rounds: 3, seed: 7, log: (line) => lines.push(line) })
  expect(summary.rounds).toBe(3)
  expect(summary.batches, lines.join('\n')).toBeGreaterThan(60)
})
