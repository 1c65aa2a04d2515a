import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SyncHistory } from '../../../../connectors/mirror/sync-history.ts'
import '../../property-settings.ts'

const historyOf = (...syncs: readonly (readonly [upstream: number, downstream: number])[]): SyncHistory => {
  const history = new SyncHistory()
  for (const [upstreamOffset, downstreamOffset] of syncs) history.add({ upstreamOffset, downstreamOffset })
  return history
}

describe('the syncs of a partition', () => {
  test('translate their own offsets exactly, those behind to one further, and none before', () => {
    const history = historyOf([100, 10], [200, 50])
    expect([99, 100, 101, 150, 199, 200, 201, 1000].map((offset) => history.translate(offset))).toEqual([
      undefined,
      10,
      11,
      11,
      11,
      50,
      51,
      51,
    ])
  })

  test('begin anew when the source or the target began anew', () => {
    const source = historyOf([100, 10], [200, 50], [5, 51])
    expect([source.translate(150), source.translate(4), source.size]).toEqual([52, undefined, 1])
    const target = historyOf([100, 10], [200, 50], [300, 0])
    expect([target.translate(250), target.translate(300)]).toEqual([undefined, 0])
  })

  test('of the same offset twice count once', () => {
    const history = historyOf([100, 10], [100, 12])
    expect([history.size, history.translate(100)]).toEqual([1, 12])
  })

  test('stay few, never lead beyond what was read, and are exact to the distance from the newest', () => {
    // Some records of the source are no records (transactions) or are left out: the copy falls behind.
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.boolean()), { minLength: 50, maxLength: 600 })
    fc.assert(
      fc.property(gaps, (steps) => {
        const history = new SyncHistory()
        const copied: { upstream: number; downstream: number }[] = []
        let upstream = 0
        for (const [step, isSynced] of steps) {
          upstream += step
          const record = { upstream, downstream: copied.length }
          copied.push(record)
          if (isSynced) history.add({ upstreamOffset: upstream, downstreamOffset: record.downstream })
        }
        expect(history.size).toBeLessThan(120)
        for (let offset = 0; offset <= upstream + 1; offset += 7) {
          const translated = history.translate(offset)
          // The group has read everything before its offset and nothing from there on.
          const firstUnread = copied.find((record) => record.upstream >= offset)?.downstream ?? copied.length
          if (translated !== undefined) expect(translated).toBeLessThanOrEqual(firstUnread)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('of a long partition are near wherever a group stands', () => {
    const history = new SyncHistory()
    const end = 1_000_000
    for (let offset = 0; offset <= end; offset += 100) history.add({ upstreamOffset: offset, downstreamOffset: offset })
    expect(history.size).toBeLessThan(60)
    for (let behind = 150; behind < end; behind *= 2) {
      const translated = history.translate(end - behind) ?? 0
      expect(end - behind - translated).toBeLessThan(2 * behind)
    }
    expect(history.translate(0)).toBe(0)
  })
})
