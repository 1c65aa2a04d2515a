import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Spread } from '../../../../src/connect/herder/spread.ts'
import '../../property-settings.ts'

/** Pieces are called after their group: `a1`, `a2`, `b1`; a group may go to the members that are listed for it. */
interface Case {
  readonly loads: readonly (readonly string[])[]
  readonly unplaced: readonly string[]
  readonly allowed: Readonly<Record<string, readonly number[]>>
}

const groupOf = (piece: string) => piece.slice(0, 1)

function spread({ loads, unplaced, allowed }: Case): Spread<string> {
  const isAllowed = (member: number, piece: string) => allowed[groupOf(piece)]?.includes(member) === true
  return new Spread({ loads, unplaced, groupOf, isAllowed })
}

/** Takes what is too much, and gives away all that has no member then. */
function carriedOut(given: Case): string[][] {
  const plan = spread(given)
  const surplus = plan.surplus()
  const after = given.loads.map((load, i) => load.filter((piece) => !surplus[i]?.includes(piece)))
  for (const piece of [...given.unplaced, ...surplus.flat()]) {
    const member = plan.place(piece, (index) => after[index]?.length ?? 0)
    expect(member, piece).toBeDefined()
    after[member!]!.push(piece)
  }
  return after
}

const squares = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size * size, 0)

/** The least sum of squares that any way to give all pieces to members has: the most even one. */
function mostEven(pieces: readonly string[], given: Case, sizes: number[]): number {
  const [piece, ...rest] = pieces
  if (piece === undefined) return squares(sizes)
  const results = (given.allowed[groupOf(piece)] ?? []).map((member) => {
    const more = [...sizes]
    more[member] = (more[member] ?? 0) + 1
    return mostEven(rest, given, more)
  })
  return Math.min(...results)
}

test('what only one member may run fills it, and what all may run goes to the others', () => {
  const allowed = { a: [0], b: [0, 1, 2] }
  expect(carriedOut({ loads: [[], [], []], unplaced: ['b1', 'b2', 'b3', 'a1', 'a2'], allowed })).toEqual([
    ['a1', 'a2'],
    ['b1', 'b3'],
    ['b2'],
  ])
})

test('a member with much of its own gives up what others may run, and keeps what they may not', () => {
  const given = { loads: [['b1', 'b2', 'a1', 'a2'], [], []], unplaced: [], allowed: { a: [0], b: [0, 1, 2] } }
  expect(spread(given).surplus()).toEqual([['b1', 'b2'], [], []])
})

test('more than a share stays where nobody else may run it', () => {
  const given = { loads: [['a1', 'a2', 'a3', 'a4'], ['b1']], unplaced: [], allowed: { a: [0], b: [0, 1] } }
  expect(spread(given).surplus()).toEqual([[], []])
})

test('work moves on through a member between two that share none', () => {
  const given = { loads: [['a1', 'a2'], ['b1'], []], unplaced: [], allowed: { a: [0, 1], b: [1, 2] } }
  expect(carriedOut(given).map((load) => load.length)).toEqual([1, 1, 1])
})

const members = 3
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    allowed: fc.record({
      a: fc.subarray([0, 1, 2], { minLength: 1 }),
      b: fc.subarray([0, 1, 2], { minLength: 1 }),
      c: fc.constant([0, 1, 2]),
    }),
    groups: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 }),
    owners: fc.infiniteStream(fc.nat(7)),
  })
  .map(({ allowed, groups, owners }) => {
    const loads: string[][] = Array.from({ length: members }, () => [])
    const unplaced: string[] = []
    groups.forEach((group, i) => {
      const { value } = owners.next()
      const owner = allowed[group as 'a'][Number(value)]
      const load = owner === undefined ? unplaced : (loads[owner] ?? unplaced)
      load.push(`${group}${i}`)
    })
    return { loads, unplaced, allowed }
  })

test('the spread is the most even one there is, and then nothing moves any more', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const after = carriedOut(given)
      after.forEach((load, member) => {
        for (const piece of load) expect(given.allowed[groupOf(piece)]).toContain(member)
      })
      const pieces = [...given.loads.flat(), ...given.unplaced]
      expect(after.flat().toSorted()).toEqual(pieces.toSorted())
      const best = mostEven(
        pieces,
        given,
        Array.from({ length: members }, () => 0),
      )
      expect(squares(after.map((load) => load.length))).toBe(best)
      expect(
        spread({ ...given, loads: after, unplaced: [] })
          .surplus()
          .flat(),
      ).toEqual([])
    }),
    { numRuns: 500 },
  )
})
