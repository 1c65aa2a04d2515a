import type { Clock } from '../../base/index.ts'
import { noLabels } from '../config/worker-labels.ts'
import type { Membership, MembershipHooks } from './membership.ts'
import { emptyWork, minus } from './work.ts'

/** The group of a standalone worker: it is always the leader and everything is always its own. */
export function createSoloMembership(options: { url: string; clock: Clock }): Membership {
  const { url, clock } = options
  let hooks: MembershipHooks | null = null
  let generation = 0
  let pending = false
  let round: Promise<void> | null = null
  let lastRebalanceAtMs: number | null = null

  const assign = async (active: MembershipHooks) => {
    await active.prepareJoin(false)
    const owned = active.joining()
    const { configured, configOffset } = active.leaderView()
    generation++
    lastRebalanceAtMs = clock.now()
    await active.onDecision({ generation, members: [{ url, labels: noLabels, work: configured }], waiting: emptyWork })
    active.onAssignment({
      generation,
      isLeader: true,
      leaderUrl: url,
      configOffset,
      failed: false,
      eager: false,
      assigned: minus(configured, owned),
      revoked: emptyWork,
      delayMs: 0,
    })
  }
  const run = async () => {
    while (pending && hooks) {
      pending = false
      await assign(hooks)
    }
    round = null
  }
  return {
    start(given) {
      hooks = given
      pending = true
      round = run()
      return round
    },
    requestRejoin() {
      pending = true
      round ??= run()
    },
    async leave() {
      hooks = null
      await round
    },
    metrics: () => ({
      protocol: 'standalone',
      generation,
      completedRebalances: generation,
      rebalancing: round !== null,
      rebalanceMsMax: 0,
      rebalanceMsAverage: 0,
      lastRebalanceAtMs,
    }),
  }
}
