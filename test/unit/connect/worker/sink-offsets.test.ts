import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SinkOffsets } from '../../../../src/connect/worker/sink-offsets.ts'
import '../../property-settings.ts'

const tp = { topic: 't', partition: 0 }

function assigned(offset: number): SinkOffsets {
  const offsets = new SinkOffsets()
  offsets.assign({ ...tp, offset })
  return offsets
}

describe('the offsets of a sink task', () => {
  it('are committed only beyond what was committed and up to what was delivered', () => {
    const offsets = assigned(10)
    offsets.delivered({ ...tp, offset: 20 })
    expect(offsets.plan([{ ...tp, offset: 15 }]).commit).toEqual([{ ...tp, offset: 15 }])
    offsets.committed([{ ...tp, offset: 15 }])
    expect(offsets.plan([{ ...tp, offset: 15 }]).commit).toEqual([])
    expect(offsets.plan([{ ...tp, offset: 12 }])).toEqual({ commit: [], ignored: [] })
    const beyond = offsets.plan([{ ...tp, offset: 21 }])
    expect(beyond.commit).toEqual([])
    expect(beyond.ignored[0]?.reason).toContain('20')
  })

  it('of partitions that are not assigned are ignored', () => {
    const { commit, ignored } = assigned(0).plan([{ topic: 'other', partition: 3, offset: 1 }])
    expect(commit).toEqual([])
    expect(ignored[0]?.reason).toContain('not assigned')
  })

  it('go back only by a rewind', () => {
    const offsets = assigned(10)
    offsets.delivered({ ...tp, offset: 20 })
    offsets.committed([{ ...tp, offset: 20 }])
    offsets.rewind({ ...tp, offset: 5 })
    offsets.delivered({ ...tp, offset: 7 })
    expect(offsets.plan([{ ...tp, offset: 7 }]).commit).toEqual([{ ...tp, offset: 7 }])
  })

  it('never go back over any row of answers of preCommit', () => {
    const answers = fc.array(fc.record({ delivered: fc.nat(50), answer: fc.nat(60) }), { maxLength: 40 })
    fc.assert(
      fc.property(answers, (steps) => {
        const offsets = assigned(0)
        let delivered = 0
        let committed = 0
        for (const step of steps) {
          delivered = Math.max(delivered, step.delivered)
          offsets.delivered({ ...tp, offset: delivered })
          const { commit } = offsets.plan([{ ...tp, offset: step.answer }])
          for (const { offset } of commit) {
            expect(offset).toBeGreaterThan(committed)
            expect(offset).toBeLessThanOrEqual(delivered)
            committed = offset
          }
          offsets.committed(commit)
        }
      }),
    )
  })

  it('wait for the reports of their partition, and fail with them', async () => {
    const offsets = assigned(0)
    const durable = Promise.withResolvers<void>()
    offsets.addReport(tp, durable.promise)
    let waited = true
    const waiting = offsets.reported([tp]).then(() => {
      waited = false
    })
    await Promise.resolve()
    expect(waited).toBe(true)
    durable.resolve()
    await waiting
    offsets.addReport(tp, Promise.reject(new Error('the queue is gone')))
    await expect(offsets.reported([tp])).rejects.toThrow('the queue is gone')
    await expect(offsets.reported([tp])).rejects.toThrow('the queue is gone')
  })
})
