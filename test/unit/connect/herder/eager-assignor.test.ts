import { expect, test } from 'vitest'
import { anywhere, placementOf } from './placements.ts'
import { assignEagerly } from '../../../../src/connect/herder/eager-assignor.ts'

test('connectors and then tasks are dealt round robin over the sorted members', () => {
  const dealt = assignEagerly(
    ['b', 'a'],
    {
      connectors: new Set(['y', 'x', 'z']),
      tasks: new Set(['x-0', 'x-1', 'y-0']),
    },
    anywhere,
  )
  expect([...dealt.entries()]).toEqual([
    ['a', { connectors: new Set(['x', 'z']), tasks: new Set(['x-1']) }],
    ['b', { connectors: new Set(['y']), tasks: new Set(['x-0', 'y-0']) }],
  ])
})

test('a group without configuration assigns nothing', () => {
  const dealt = assignEagerly(['a'], { connectors: new Set(), tasks: new Set() }, anywhere)
  expect(dealt.get('a')).toEqual({ connectors: new Set(), tasks: new Set() })
})

test('what requires labels goes round among the members that have them, and the rest evens the loads', () => {
  const dealt = assignEagerly(
    ['a', 'b', 'c'],
    { connectors: new Set(['pin', 'x']), tasks: new Set(['pin-0', 'pin-1', 'pin-2', 'x-0', 'x-1', 'x-2']) },
    placementOf({ pin: ['role=edge'] }, { b: ['role=edge'], c: ['role=edge', 'zone=1'] }),
  )
  expect([...dealt.entries()]).toEqual([
    ['a', { connectors: new Set(['x']), tasks: new Set(['x-0', 'x-1']) }],
    ['b', { connectors: new Set(['pin']), tasks: new Set(['pin-1', 'x-2']) }],
    ['c', { connectors: new Set(), tasks: new Set(['pin-0', 'pin-2']) }],
  ])
})

test('what nobody has the labels for is given to nobody', () => {
  const configured = { connectors: new Set(['pin']), tasks: new Set(['pin-0']) }
  const dealt = assignEagerly(['a'], configured, placementOf({ pin: ['role=edge'] }, { a: ['role=core'] }))
  expect(dealt.get('a')).toEqual({ connectors: new Set(), tasks: new Set() })
})
