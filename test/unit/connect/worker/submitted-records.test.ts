import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SubmittedRecords } from '../../../../src/connect/worker/submitted-records.ts'
import '../../property-settings.ts'

interface Outcome {
  state: 'pending' | 'acked' | 'failed'
}

type Step =
  | { readonly do: 'send'; readonly p: number; readonly batch: number }
  | { readonly do: 'drop'; readonly p: number }
  | { readonly do: 'end'; readonly batch: number; readonly ok: boolean }
  | { readonly do: 'take' }

const pending = (): Outcome => ({ state: 'pending' })

describe('offsets of submitted records', () => {
  it('are committable up to the first record that is not acknowledged', () => {
    const submitted = new SubmittedRecords({ passFailed: false })
    const [first, second, third] = [pending(), pending(), pending()]
    submitted.submit({ sourcePartition: { p: 1 }, sourceOffset: { o: 1 } }, first)
    submitted.submit({ sourcePartition: { p: 1 }, sourceOffset: { o: 2 } }, second)
    submitted.submit({ sourcePartition: { p: 1 }, sourceOffset: { o: 3 } }, third)
    expect(submitted.takeCommittable()).toEqual([])
    third.state = 'acked'
    expect(submitted.takeCommittable()).toEqual([])
    first.state = 'acked'
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { p: 1 }, sourceOffset: { o: 1 } }])
    second.state = 'acked'
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { p: 1 }, sourceOffset: { o: 3 } }])
    expect(submitted.takeCommittable()).toEqual([])
  })

  it('of one source partition do not wait for another', () => {
    const submitted = new SubmittedRecords({ passFailed: false })
    submitted.submit({ sourcePartition: { p: 1 }, sourceOffset: { o: 1 } }, pending())
    submitted.submit({ sourcePartition: { p: 2 }, sourceOffset: { o: 9 } }, { state: 'acked' })
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { p: 2 }, sourceOffset: { o: 9 } }])
  })

  it('treat partitions as maps: the order of keys does not matter', () => {
    const submitted = new SubmittedRecords({ passFailed: false })
    const batch = pending()
    submitted.submit({ sourcePartition: { a: 1, b: 2n }, sourceOffset: { o: 1 } }, batch)
    submitted.submit({ sourcePartition: { c: 1 }, sourceOffset: { o: 5 } }, null)
    submitted.submit({ sourcePartition: { b: 2n, a: 1 }, sourceOffset: { o: 2 } }, null)
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { c: 1 }, sourceOffset: { o: 5 } }])
    batch.state = 'acked'
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { a: 1, b: 2n }, sourceOffset: { o: 2 } }])
  })

  it('keep one entry for all records of a batch', () => {
    const submitted = new SubmittedRecords({ passFailed: false })
    const batch = pending()
    const partition = { p: 1 }
    for (let offset = 0; offset < 10_000; offset++)
      submitted.submit({ sourcePartition: partition, sourceOffset: { offset } }, batch)
    expect(submitted.size).toBe(1)
  })

  it('are asked for once for each batch', () => {
    const submitted = new SubmittedRecords({ passFailed: false })
    const [first, second] = [pending(), pending()]
    const asked: number[] = []
    const record = (offset: number) => ({
      sourcePartition: { p: 1 },
      get sourceOffset() {
        asked.push(offset)
        return { o: offset }
      },
    })
    for (const offset of [1, 2, 3]) submitted.submit(record(offset), first)
    for (const offset of [4, 5]) submitted.submit(record(offset), second)
    expect(asked).toEqual([3])
    first.state = 'acked'
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { p: 1 }, sourceOffset: { o: 3 } }])
    second.state = 'acked'
    expect(submitted.takeCommittable()).toEqual([{ sourcePartition: { p: 1 }, sourceOffset: { o: 5 } }])
    expect(asked).toEqual([3, 5])
  })

  it('agree with a model that keeps every record', () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), p: fc.nat(2), batch: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), p: fc.nat(2) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), batch: fc.nat(3), ok: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
    )
    const run = (steps: readonly Step[], passFailed: boolean) => {
      const submitted = new SubmittedRecords({ passFailed })
      const open: Outcome[] = [pending(), pending(), pending(), pending()]
      const model: { p: number; offset: number; batch: Outcome | null }[] = []
      let offset = 0
      for (const one of steps) {
        if (one.do === 'send' || one.do === 'drop') {
          const batch = one.do === 'send' ? open[one.batch]! : null
          model.push({ p: one.p, offset: ++offset, batch })
          submitted.submit({ sourcePartition: { p: one.p }, sourceOffset: { offset } }, batch)
        } else if (one.do === 'end') {
          open[one.batch]!.state = one.ok ? 'acked' : 'failed'
          open[one.batch] = pending()
        } else {
          const isDone = ({ batch }: (typeof model)[number]) =>
            batch === null || batch.state === 'acked' || (passFailed && batch.state === 'failed')
          const expected = new Map<number, number>()
          for (let p = 0; p <= 2; p++) {
            const mine = model.filter((record) => record.p === p)
            const end = mine.findIndex((record) => !isDone(record))
            const prefix = end < 0 ? mine : mine.slice(0, end)
            if (prefix.length > 0) expected.set(p, prefix.at(-1)!.offset)
            for (const record of prefix) model.splice(model.indexOf(record), 1)
          }
          const taken = submitted.takeCommittable()
          const found = new Map(taken.map((one) => [one.sourcePartition['p'], one.sourceOffset['offset']]))
          expect(found).toEqual(expected)
        }
      }
    }
    fc.assert(fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), run), { numRuns: 500 })
  })
})
