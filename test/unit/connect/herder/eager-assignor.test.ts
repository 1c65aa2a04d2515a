import { expect, test } from 'vitest'
import { anywhere } from './placements.ts'
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
