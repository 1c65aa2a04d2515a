import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AssignorState,
  assignIncrementally,
  initialAssignorState,
} from '../../../../src/connect/herder/incremental-assignor.ts'
import { anywhere } from './placements.ts'
import { emptyWork, minus, union, type Work } from '../../../../src/connect/herder/work.ts'

function work(connectors: number, tasksEach: number): Work {
  const names = Array.from({ length: connectors }, (_, i) => `c${i}`)
  return {
    connectors: new Set(names),
    tasks: new Set(names.flatMap((name) => Array.from({ length: tasksEach }, (_, i) => `${name}-${i}`))),
  }
}

/** A group whose members do exactly what they are told. */
class Group {
  state: AssignorState = initialAssignorState
  readonly members = new Map<string, Work>()
  generation = 0
  nowMs = 1000
  delayMs = 0
  maxDelayMs = 0
  placement = anywhere

  join(...names: string[]): this {
    for (const name of names) this.members.set(name, emptyWork)
    return this
  }

  /** One round; returns what was revoked. */
  round(configured: Work): Work {
    const before = this.generation
    this.generation++
    const [state, result] = assignIncrementally(this.state, {
      nowMs: this.nowMs,
      maxDelayMs: this.maxDelayMs,
      lastCompletedGeneration: before === 0 ? -1 : before,
      generation: this.generation,
      configured,
      members: this.members,
      placement: this.placement,
    })
    this.state = state
    this.delayMs = result.delayMs
    for (const [member, { assigned, revoked }] of result.increments) {
      this.members.set(member, union(minus(this.members.get(member) ?? emptyWork, revoked), assigned))
    }
    return union(...[...result.increments.values()].map((increment) => increment.revoked))
  }

  sizes(kind: 'connectors' | 'tasks'): number[] {
    return [...this.members.values()].map((member) => member[kind].size).sort((a, b) => a - b)
  }

  all(): Work {
    return union(...this.members.values())
  }
}

test('one worker gets everything', () => {
  const group = new Group().join('a')
  group.round(work(3, 2))
  expect(group.all()).toEqual(work(3, 2))
})

test('a second worker takes over half in two rounds, and what stays is not touched', () => {
  const group = new Group().join('a')
  group.round(work(4, 2))
  const before = group.members.get('a')
  group.join('b')
  const revoked = group.round(work(4, 2))
  expect([revoked.connectors.size, revoked.tasks.size]).toEqual([2, 4])
  expect(minus(before ?? emptyWork, revoked)).toEqual(group.members.get('a'))
  expect(group.round(work(4, 2))).toEqual(emptyWork)
  expect(group.sizes('tasks')).toEqual([4, 4])
})

test('without a delay the work of a lost worker moves in the round that notices the loss', () => {
  const group = new Group().join('a', 'b', 'c')
  group.round(work(3, 4))
  group.members.delete('c')
  expect(group.round(work(3, 4))).toEqual(emptyWork)
  expect(group.sizes('tasks')).toEqual([6, 6])
  expect(group.delayMs).toBe(0)
})

test('with a delay the work of a lost worker waits and goes back to the worker that returns', () => {
  const group = new Group().join('a', 'b')
  group.maxDelayMs = 5000
  group.round(work(2, 2))
  const lost = group.members.get('b')
  group.members.delete('b')
  group.round(work(2, 2))
  expect([group.delayMs, group.sizes('tasks')]).toEqual([5000, [2]])
  group.nowMs += 2000
  group.join('b')
  group.round(work(2, 2))
  expect(group.delayMs).toBe(3000)
  group.nowMs += 3000
  group.round(work(2, 2))
  expect([group.delayMs, group.members.get('b')]).toEqual([0, lost])
})

test('work of a worker that never comes back is dealt out when the delay ends', () => {
  const group = new Group().join('a', 'b')
  group.maxDelayMs = 5000
  group.round(work(2, 2))
  group.members.delete('b')
  group.round(work(2, 2))
  group.nowMs += 5000
  group.round(work(2, 2))
  expect(group.all()).toEqual(work(2, 2))
})

test('new connectors are given out while a delay runs', () => {
  const group = new Group().join('a', 'b')
  group.maxDelayMs = 5000
  group.round(work(2, 2))
  group.members.delete('b')
  group.round(work(2, 2))
  group.round(work(3, 2))
  expect(group.all().connectors.has('c2')).toBe(true)
})

test('deleted work is revoked from its owner', () => {
  const group = new Group().join('a', 'b')
  group.round(work(3, 2))
  group.round(work(1, 2))
  expect(group.all()).toEqual(work(1, 2))
})

test('work that two members claim is taken from both and dealt anew', () => {
  const group = new Group().join('a', 'b')
  group.round(work(2, 2))
  const stolen = group.members.get('a') ?? emptyWork
  group.members.set('b', union(group.members.get('b') ?? emptyWork, stolen))
  const revoked = group.round(work(2, 2))
  expect(minus(stolen, revoked)).toEqual(emptyWork)
  group.round(work(2, 2))
  expect([group.all(), group.sizes('tasks')]).toEqual([work(2, 2), [2, 2]])
})

test('rounds that revoke again and again are spaced by a growing back-off when a delay is configured', () => {
  const group = new Group().join('a')
  group.maxDelayMs = 300_000
  group.round(work(6, 0))
  group.join('b')
  group.round(work(6, 0))
  group.join('c')
  group.round(work(6, 0))
  expect(group.delayMs).toBe(40)
  group.nowMs += 40
  group.round(work(6, 0))
  group.nowMs += 1
  group.round(work(6, 0))
  expect(group.sizes('connectors')).toEqual([2, 2, 2])
})

test('a leader that missed a generation forgets what it remembered and still gives everything out', () => {
  const group = new Group().join('a', 'b')
  group.maxDelayMs = 5000
  group.round(work(2, 2))
  group.members.delete('b')
  group.state = { ...group.state, previousGeneration: 99 }
  group.round(work(2, 2))
  expect(group.all()).toEqual(work(2, 2))
})

type Event = { readonly kind: 'join' | 'leave' | 'scale'; readonly number: number }
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.record({ kind: fc.constantFrom('join', 'leave', 'scale'), number: fc.nat(7) }),
  { maxLength: 12 },
)

test('after any history: one owner each, nothing unneeded revoked, balanced within three quiet rounds', () => {
  fc.assert(
    fc.property(events, fc.constantFrom(0, 5000), (history, maxDelayMs) => {
      const group = new Group().join('m0')
      group.maxDelayMs = maxDelayMs
      let configured = work(2, 2)
      const round = () => {
        const owners = [...group.members.values()].flatMap((member) => [...member.tasks])
        const revoked = group.round(configured)
        const after = [...group.members.values()].flatMap((member) => [...member.tasks])
        // Invariant 4: never two owners, and nothing that is revoked in a round has a new owner in it.
        expect(new Set(after).size).toBe(after.length)
        for (const task of after) expect(revoked.tasks.has(task)).toBe(false)
        expect(owners.length).toBe(new Set(owners).size)
      }
      round()
      for (const { kind, number } of history) {
        if (kind === 'join') group.join(`m${number}`)
        else if (kind === 'leave' && group.members.size > 1) group.members.delete(`m${number}`)
        else if (kind === 'scale') configured = work(number, 3)
        if (group.members.size === 0) group.join('m0')
        round()
        group.nowMs += 700
      }
      for (let i = 0; i < 4; i++) {
        group.nowMs += 300_000
        round()
      }
      expect(group.all()).toEqual(configured)
      for (const kind of ['connectors', 'tasks'] as const) {
        const sizes = group.sizes(kind)
        expect((sizes.at(-1) ?? 0) - (sizes[0] ?? 0)).toBeLessThanOrEqual(1)
      }
      // Quiet now: another round changes nothing.
      expect(group.round(configured)).toEqual(emptyWork)
    }),
    { numRuns: 300 },
  )
})
