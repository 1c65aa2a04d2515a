import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AssignorState,
  assignIncrementally,
  initialAssignorState,
} from '../../../../src/connect/herder/incremental-assignor.ts'
import { lackingLabels, noLabels } from '../../../../src/connect/config/worker-labels.ts'
import { anywhere, placementOf } from './placements.ts'
import { emptyWork, minus, union, type Work } from '../../../../src/connect/herder/work.ts'
import '../../property-settings.ts'

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
  waiting = emptyWork
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
    this.waiting = result.waiting
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

/** Who has what of one connector, its instance without a number: `a: c0 c0-0`. */
function places(group: Group, connector: string): string[] {
  return [...group.members].map(([member, { connectors, tasks }]) => {
    const mine = [...connectors, ...tasks].filter((key) => key === connector || key.startsWith(`${connector}-`))
    return `${member}: ${mine.toSorted().join(' ')}`
  })
}

test('what requires labels goes to members that have all of them, and the rest evens the loads', () => {
  const group = new Group().join('a', 'b', 'c')
  group.placement = placementOf(
    { c0: ['role=edge', 'zone=1'] },
    { b: ['role=edge', 'zone=1', 'more=x'], c: ['role=edge'] },
  )
  group.round(work(3, 3))
  expect(places(group, 'c0')).toEqual(['a: ', 'b: c0 c0-0 c0-1 c0-2', 'c: '])
  expect([group.sizes('connectors'), group.sizes('tasks')]).toEqual([
    [1, 1, 1],
    [3, 3, 3],
  ])
  expect(group.round(work(3, 3))).toEqual(emptyWork)
})

test('work of a labelled member that is lost goes to another labelled one, else it waits until one comes', () => {
  const group = new Group().join('a', 'b', 'c')
  group.placement = placementOf({ c0: ['role=edge'] }, { b: ['role=edge'], c: ['role=edge'], d: ['role=edge'] })
  group.round(work(1, 2))
  for (const gone of ['b', 'c']) {
    group.members.delete(gone)
    group.round(work(1, 2))
    if (gone === 'b') expect(places(group, 'c0')).toEqual(['a: ', 'c: c0 c0-0 c0-1'])
  }
  expect([places(group, 'c0'), group.waiting]).toEqual([['a: '], work(1, 2)])
  expect(group.round(work(1, 2))).toEqual(emptyWork)
  group.join('d')
  group.round(work(1, 2))
  expect([places(group, 'c0'), group.waiting]).toEqual([['a: ', 'd: c0 c0-0 c0-1'], emptyWork])
})

test('work that waits for a label starts no delay, and does not wait for one when the label comes', () => {
  const group = new Group().join('a', 'b')
  group.maxDelayMs = 5000
  group.placement = placementOf({ c0: ['role=edge'] }, { b: ['role=edge'] })
  group.round(work(1, 2))
  group.members.delete('b')
  group.round(work(1, 2))
  expect([group.delayMs, group.waiting]).toEqual([0, work(1, 2)])
  group.nowMs += 10_000
  group.join('b')
  group.round(work(1, 2))
  expect([group.delayMs, places(group, 'c0')]).toEqual([0, ['a: ', 'b: c0 c0-0 c0-1']])
})

test('after a delay what candidates lack labels for goes to others', () => {
  const group = new Group().join('a', 'b', 'c')
  group.maxDelayMs = 5000
  group.placement = placementOf({ c0: ['role=edge'] }, { a: ['role=edge'], b: ['role=edge'] })
  group.round(work(3, 2))
  group.members.delete('b')
  group.round(work(3, 2))
  group.join('d')
  group.round(work(3, 2))
  group.nowMs += 5000
  for (let round = 0; round < 3; round++) {
    group.round(work(3, 2))
    group.nowMs += 300_000
  }
  expect(places(group, 'c0')).toEqual(['a: c0 c0-0 c0-1', 'c: ', 'd: '])
  expect(group.all()).toEqual(work(3, 2))
})

test('other labels move the work in two rounds: it is given to nobody before it has been taken away', () => {
  const group = new Group().join('a', 'b')
  group.placement = placementOf({ c0: ['zone=1'] }, { a: ['zone=1'], b: ['zone=2'] })
  group.round(work(1, 2))
  group.placement = placementOf({ c0: ['zone=2'] }, { a: ['zone=1'], b: ['zone=2'] })
  expect(group.round(work(1, 2))).toEqual(work(1, 2))
  expect(places(group, 'c0')).toEqual(['a: ', 'b: '])
  expect(group.waiting).toEqual(emptyWork)
  expect(group.round(work(1, 2))).toEqual(emptyWork)
  expect(places(group, 'c0')).toEqual(['a: ', 'b: c0 c0-0 c0-1'])
})

test('what a member runs without the labels is not said to wait before it has stopped there', () => {
  const group = new Group().join('a')
  group.round(work(1, 1))
  group.placement = placementOf({ c0: ['zone=2'] }, {})
  group.round(work(1, 1))
  expect(group.waiting).toEqual(emptyWork)
  group.round(work(1, 1))
  expect(group.waiting).toEqual(work(1, 1))
})

type Event = { readonly kind: 'join' | 'leave' | 'scale'; readonly number: number }
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.record({ kind: fc.constantFrom('join', 'leave', 'scale'), number: fc.nat(7) }),
  { maxLength: 12 },
)
/** Labels of members m0 to m7, and what connectors c0 to c7 require of them. */
const labels = fc.array(fc.subarray(['zone=1', 'zone=2', 'role=edge']), { minLength: 8, maxLength: 8 })
const placements = fc.tuple(labels, labels).map(([required, members]) => {
  const named = (name: string, lists: string[][]) => Object.fromEntries(lists.map((list, i) => [`${name}${i}`, list]))
  return placementOf(named('c', required), named('m', members))
})

test('after any history with labels: nothing runs where it lacks them, and all that can runs within quiet rounds', () => {
  fc.assert(
    fc.property(events, placements, placements, fc.constantFrom(0, 5000), (history, early, late, maxDelayMs) => {
      const group = new Group().join('m0')
      group.maxDelayMs = maxDelayMs
      group.placement = early
      let configured = work(2, 2)
      const mayRun = (member: string, task: string) => {
        const required = group.placement.required.tasks.get(task.slice(0, task.lastIndexOf('-')))
        return lackingLabels(required ?? noLabels, group.placement.labels.get(member) ?? noLabels).length === 0
      }
      const round = () => {
        const revoked = group.round(configured)
        const after = [...group.members].flatMap(([member, { tasks }]) => [...tasks].map((task) => ({ member, task })))
        expect(new Set(after.map(({ task }) => task)).size).toBe(after.length)
        for (const { member, task } of after) {
          expect(revoked.tasks.has(task)).toBe(false)
          expect(mayRun(member, task)).toBe(true)
        }
        return revoked
      }
      history.forEach(({ kind, number }, i) => {
        if (i === 6) group.placement = late
        if (kind === 'join') group.join(`m${number}`)
        else if (kind === 'leave' && group.members.size > 1) group.members.delete(`m${number}`)
        else if (kind === 'scale') configured = work(number, 3)
        if (group.members.size === 0) group.join('m0')
        round()
        group.nowMs += 700
      })
      for (let i = 0; i < 5; i++) {
        group.nowMs += 300_000
        round()
      }
      const homes = (task: string) => [...group.members.keys()].filter((member) => mayRun(member, task))
      const runnable = [...configured.tasks].filter((task) => homes(task).length > 0)
      expect([...group.all().tasks].toSorted()).toEqual(runnable.toSorted())
      expect([...union(group.all(), group.waiting).tasks].toSorted()).toEqual([...configured.tasks].toSorted())
      // Nobody has two more than another one that could take one of them off it.
      for (const [member, { tasks }] of group.members) {
        for (const task of tasks) {
          for (const other of homes(task)) {
            expect(tasks.size - (group.members.get(other)?.tasks.size ?? 0), `${task} on ${member}`).toBeLessThan(2)
          }
        }
      }
      expect(round()).toEqual(emptyWork)
    }),
    { numRuns: 300 },
  )
})

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
