import type { ConnectRecord, Predicate, Transform } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { type ChainStep, TransformationChain } from '../../../../src/connect/worker/transformation-chain.ts'

const record: ConnectRecord = {
  topic: 't',
  partition: null,
  key: null,
  keySchema: null,
  value: '',
  valueSchema: null,
  headers: [],
  timestamp: null,
}

const append = (text: string): Transform => ({
  apply: (input) => ({ ...input, value: String(input.value) + text }),
})
const drop: Transform = { apply: () => null }
const fail: Transform = {
  apply: () => {
    throw new Error('no')
  },
}
const when = (answer: boolean): Predicate => ({ test: () => answer })
const step = (transform: Transform, predicate: Predicate | null = null, negate = false): ChainStep => ({
  alias: 'a',
  className: 'A',
  transform,
  predicate,
  negate,
})
const apply = (...steps: ChainStep[]) => new TransformationChain(steps).apply(record)

describe('a chain of transformations', () => {
  it('applies in order', () => {
    expect(apply(step(append('a')), step(append('b')))?.value).toBe('ab')
  })

  it('ends with the step that drops the record', () => {
    expect(apply(step(append('a')), step(drop), step(fail))).toBeNull()
  })

  for (const [answer, negate, applies] of [
    [true, false, true],
    [false, false, false],
    [true, true, false],
    [false, true, true],
  ] as const) {
    it(`${applies ? 'applies' : 'leaves out'} a step whose predicate says ${answer}, negate ${negate}`, () => {
      expect(apply(step(append('a'), when(answer), negate), step(append('b')))?.value).toBe(applies ? 'ab' : 'b')
    })
  }

  it('tells where it failed and with what record, so that nothing is applied twice', () => {
    const chain = new TransformationChain([step(append('a')), step(fail), step(append('c'))])
    expect(() => chain.apply(record)).toThrow('no')
    expect(chain.failedStep).toBe(1)
    expect(chain.failedRecord?.value).toBe('a')
  })

  it('closes transformations and predicates', () => {
    const closed: string[] = []
    const transform: Transform = { apply: (input) => input, close: () => closed.push('transform') }
    const predicate: Predicate = { test: () => true, close: () => closed.push('predicate') }
    new TransformationChain([step(transform, predicate)]).close()
    expect(closed).toEqual(['transform', 'predicate'])
  })
})
