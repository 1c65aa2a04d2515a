import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type {
  Assignment,
  Assignor,
  Subscriber,
  TopicPartition,
} from '../../../src/client/consumer/assignors/assignor.ts'
import { rangeAssignor } from '../../../src/client/consumer/assignors/range.ts'
import { roundRobinAssignor } from '../../../src/client/consumer/assignors/round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from '../../../src/client/consumer/assignors/sticky.ts'
import '../property-settings.ts'

const member = (memberId: string, topics: string[], owned: TopicPartition[] = [], generation = -1): Subscriber => ({
  memberId,
  groupInstanceId: null,
  topics,
  owned,
  generation,
})

function shown(assignment: Assignment): Record<string, string> {
  const text = (list: TopicPartition[]) =>
    list
      .map(({ topic, partition }) => `${topic}${partition}`)
      .toSorted()
      .join(' ')
  return Object.fromEntries([...assignment].map(([memberId, list]) => [memberId, text(list)]))
}

const counts = (sizes: Record<string, number>) => new Map(Object.entries(sizes))

describe('range', () => {
  test('the first members get one more of each topic, as in Kafka', () => {
    const members = [member('c2', ['a', 'b']), member('c1', ['a', 'b'])]
    expect(shown(rangeAssignor.assign(members, counts({ a: 3, b: 3 })))).toEqual({
      c1: 'a0 a1 b0 b1',
      c2: 'a2 b2',
    })
  })

  test('static members come first, by their instance id', () => {
    const members = [member('m1', ['a']), { ...member('m2', ['a']), groupInstanceId: 'i' }]
    expect(shown(rangeAssignor.assign(members, counts({ a: 3 })))).toEqual({ m1: 'a2', m2: 'a0 a1' })
  })
})

describe('roundrobin', () => {
  test('partitions are dealt out in turn', () => {
    const members = [member('c1', ['a', 'b']), member('c2', ['a', 'b'])]
    expect(shown(roundRobinAssignor.assign(members, counts({ a: 3, b: 3 })))).toEqual({
      c1: 'a0 a2 b1',
      c2: 'a1 b0 b2',
    })
  })

  test('a member without a topic is passed over, as in the example of Kafka', () => {
    const members = [member('c0', ['a']), member('c1', ['a', 'b']), member('c2', ['a', 'b', 'c'])]
    expect(shown(roundRobinAssignor.assign(members, counts({ a: 1, b: 2, c: 3 })))).toEqual({
      c0: 'a0',
      c1: 'b0',
      c2: 'b1 c0 c1 c2',
    })
  })
})

describe('sticky', () => {
  test('a new member takes its share and nothing else moves', () => {
    const owned = [0, 1, 2, 3, 4, 5].map((partition) => ({ topic: 'a', partition }))
    const members = [
      member('c1', ['a'], owned.slice(0, 3), 4),
      member('c2', ['a'], owned.slice(3), 4),
      member('c3', ['a']),
    ]
    expect(shown(stickyAssignor.assign(members, counts({ a: 6 })))).toEqual({ c1: 'a0 a1', c2: 'a3 a4', c3: 'a2 a5' })
  })

  test('claims of an older generation count for nothing', () => {
    const a0 = { topic: 'a', partition: 0 }
    const a1 = { topic: 'a', partition: 1 }
    const members = [member('c1', ['a'], [a1], 3), member('c2', ['a'], [a0], 4)]
    expect(shown(stickyAssignor.assign(members, counts({ a: 2 })))).toEqual({ c1: 'a1', c2: 'a0' })
    const stale = [member('c1', ['a'], [a0], 3), member('c2', ['a'], [a0], 4)]
    expect(shown(stickyAssignor.assign(stale, counts({ a: 2 })))).toEqual({ c1: 'a1', c2: 'a0' })
  })

  test('what a member owned travels as Kafka writes it', () => {
    const owned = [
      { topic: 'a', partition: 1 },
      { topic: 'a', partition: 2 },
    ]
    const bytes = Buffer.from(stickyAssignor.userData(owned, 7)!)
    expect(bytes.toString('hex')).toBe('0000000100016100000002000000010000000200000007')
    expect(stickyAssignor.readUserData!(bytes)).toEqual({ owned, generation: 7 })
    expect(stickyAssignor.readUserData!(bytes.subarray(0, -4))).toEqual({ owned, generation: -1 })
    expect(stickyAssignor.readUserData!(Buffer.from('garbage'))).toEqual({ owned: [], generation: -1 })
  })
})

describe('cooperative-sticky', () => {
  test('a partition that changes hands is given to nobody in the first rebalance', () => {
    const owned = [0, 1, 2].map((partition) => ({ topic: 'a', partition }))
    const first = cooperativeStickyAssignor.assign(
      [member('c1', ['a'], owned, 1), member('c2', ['a'])],
      counts({ a: 3 }),
    )
    expect(shown(first)).toEqual({ c1: 'a0 a1', c2: '' })
    const then = [member('c1', ['a'], owned.slice(0, 2), 2), member('c2', ['a'], [], 2)]
    expect(shown(cooperativeStickyAssignor.assign(then, counts({ a: 3 })))).toEqual({ c1: 'a0 a1', c2: 'a2' })
  })
})

const topics = ['a', 'b', 'c', 'd']
const groupArbitrary = fc.record({
  subscriptions: fc.array(fc.subarray(topics), { minLength: 1, maxLength: 6 }),
  sizes: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 4, maxLength: 4 }),
})

function build({ subscriptions, sizes }: { subscriptions: string[][]; sizes: number[] }) {
  const members = subscriptions.map((list, index) => member(`m${index}`, list))
  return { members, partitionCounts: new Map(topics.map((topic, index) => [topic, sizes[index]!])) }
}

function checkComplete(assignor: Assignor, members: Subscriber[], partitionCounts: Map<string, number>): Assignment {
  const assignment = assignor.assign(members, partitionCounts)
  const given = [...assignment].flatMap(([memberId, list]) => list.map((one) => ({ memberId, ...one })))
  for (const { memberId, topic } of given) {
    expect(members.find((one) => one.memberId === memberId)!.topics).toContain(topic)
  }
  const wanted = topics.filter((topic) => members.some((one) => one.topics.includes(topic)))
  const expected = wanted.flatMap((topic) =>
    Array.from({ length: partitionCounts.get(topic)! }, (_, p) => `${topic}${p}`),
  )
  expect(given.map(({ topic, partition }) => `${topic}${partition}`).toSorted()).toEqual(expected.toSorted())
  return assignment
}

describe.each([rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor])('$name', (assignor) => {
  test('every partition goes to exactly one member that wants it', () => {
    fc.assert(
      fc.property(groupArbitrary, (group) => {
        const { members, partitionCounts } = build(group)
        checkComplete(assignor, members, partitionCounts)
      }),
    )
  })
})

describe('balance', () => {
  test('no member of a sticky group has two partitions more than another that could take one', () => {
    fc.assert(
      fc.property(groupArbitrary, (group) => {
        const { members, partitionCounts } = build(group)
        const assignment = checkComplete(stickyAssignor, members, partitionCounts)
        for (const [giver, list] of assignment) {
          for (const taker of members.filter((one) => one.memberId !== giver)) {
            const movable = list.some(({ topic }) => taker.topics.includes(topic))
            if (movable) expect(list.length - assignment.get(taker.memberId)!.length).toBeLessThan(2)
          }
        }
      }),
    )
  })

  test('an unchanged sticky group keeps everything', () => {
    fc.assert(
      fc.property(groupArbitrary, (group) => {
        const { members, partitionCounts } = build(group)
        const first = stickyAssignor.assign(members, partitionCounts)
        const again = members.map((one) => ({ ...one, owned: first.get(one.memberId)!, generation: 1 }))
        expect(shown(stickyAssignor.assign(again, partitionCounts))).toEqual(shown(first))
      }),
    )
  })

  test('a cooperative group settles, and nothing is ever held twice', () => {
    fc.assert(
      fc.property(groupArbitrary, fc.nat(5), (group, leaver) => {
        const { members, partitionCounts } = build(group)
        let owned = cooperativeStickyAssignor.assign(members, partitionCounts)
        const left = members.filter((_, index) => index !== leaver % members.length)
        fc.pre(left.length > 0)
        const joined = [...left, member('z', topics)]
        for (let round = 1; round <= 4; round++) {
          const claims = joined.map((one) => ({ ...one, owned: owned.get(one.memberId) ?? [], generation: round }))
          const next = cooperativeStickyAssignor.assign(claims, partitionCounts)
          for (const [memberId, list] of next) {
            for (const { topic, partition } of list) {
              const owner = claims.find((one) => one.owned.some((o) => o.topic === topic && o.partition === partition))
              expect(owner === undefined || owner.memberId === memberId).toBe(true)
            }
          }
          owned = next
        }
        const total = [...owned.values()].reduce((sum, list) => sum + list.length, 0)
        expect(total).toBe([...partitionCounts.values()].reduce((sum, count) => sum + count, 0))
      }),
    )
  })
})
