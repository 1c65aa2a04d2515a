import { expect, test } from 'vitest'
import { brokerKillChaos } from './broker-kill.ts'

test('kill -9 of the broker under load: what was acknowledged is there once, in order, and repetitions are recognised', async () => {
  const summary = await brokerKillChaos({ rounds: 3, seed: 1, log: () => {} })
  expect(summary.ackedBatches).toBeGreaterThan(100)
  expect(summary.recognised).toBeGreaterThan(0)
})
