/** Pieces of work that the same members may run. */
interface Group<T> {
  /** Indexes of the members that may run them. */
  readonly members: readonly number[]
  /** What each member has of it now. */
  readonly kept: readonly T[][]
  /** How many each member shall have. */
  readonly wanted: number[]
}

export interface SpreadOptions<T> {
  /** What each member has and may keep. */
  readonly loads: readonly Iterable<T>[]
  /** What has no member yet; at least one may run each piece. */
  readonly unplaced: Iterable<T>
  /** Equal only for pieces that the same members may run. */
  readonly groupOf: (piece: T) => string
  readonly isAllowed: (member: number, piece: T) => boolean
}

/**
 * How many pieces of each group every member shall have, so that no member has two more than another one that could take
 * work off it, be it through others in between. Whoever has its share keeps what it has.
 */
export class Spread<T> {
  private readonly options: SpreadOptions<T>
  private readonly groups = new Map<string, Group<T>>()
  /** How many pieces each member shall have. */
  private readonly sizes: number[]

  constructor(options: SpreadOptions<T>) {
    this.options = options
    this.sizes = options.loads.map(() => 0)
    options.loads.forEach((load, member) => {
      for (const piece of load) {
        const group = this.group(piece)
        group.kept[member]?.push(piece)
        this.give(group, member, 1)
      }
    })
    const unplaced = [...options.unplaced].map((piece) => this.group(piece))
    // Those with the least choice come first; the others fill what they leave.
    for (const group of unplaced.toSorted((left, right) => left.members.length - right.members.length)) {
      const member = least(group.members, (index) => this.size(index))
      if (member !== undefined) this.give(group, member, 1)
    }
    while (this.improve());
  }

  private group(piece: T): Group<T> {
    const { groupOf, isAllowed, loads } = this.options
    const name = groupOf(piece)
    let group = this.groups.get(name)
    if (!group) {
      const members = [...loads.keys()].filter((member) => isAllowed(member, piece))
      group = { members, kept: loads.map(() => []), wanted: loads.map(() => 0) }
      this.groups.set(name, group)
    }
    return group
  }

  private size(member: number): number {
    return this.sizes[member] ?? 0
  }

  private give(group: Group<T>, member: number, count: number): void {
    group.wanted[member] = (group.wanted[member] ?? 0) + count
    this.sizes[member] = this.size(member) + count
  }

  /** Moves one piece from a member with much to one that has at least two less; false when there is no such pair. */
  private improve(): boolean {
    const smallest = Math.min(...this.sizes)
    // The last of several that have the same gives first, so that the first ones keep what the division leaves over.
    const givers = [...this.sizes.keys()].toReversed().toSorted((left, right) => this.size(right) - this.size(left))
    for (const giver of givers) {
      if (this.size(giver) - smallest < 2) return false
      const ways = this.waysFrom(giver)
      const taker = least(
        [...ways.keys()].toSorted((left, right) => left - right),
        (index) => this.size(index),
      )
      if (taker === undefined || this.size(giver) - this.size(taker) < 2) continue
      let to = taker
      for (let way = ways.get(to); way; way = ways.get(to)) {
        this.give(way.group, way.from, -1)
        this.give(way.group, to, 1)
        to = way.from
      }
      return true
    }
    return false
  }

  /** Whom a piece can reach that leaves a member, directly or by pushing pieces of others on: shortest ways. */
  private waysFrom(giver: number): Map<number, { readonly from: number; readonly group: Group<T> }> {
    const ways = new Map<number, { readonly from: number; readonly group: Group<T> }>()
    const queue = [giver]
    // The queue grows while it is read.
    for (const from of queue) {
      const movable = [...this.groups.values()].filter((group) => (group.wanted[from] ?? 0) > 0)
      // What the member does not run yet moves without a stop.
      const isNew = (group: Group<T>) => (group.wanted[from] ?? 0) > (group.kept[from]?.length ?? 0)
      for (const group of [...movable.filter(isNew), ...movable.filter((other) => !isNew(other))]) {
        for (const to of group.members) {
          if (to === giver || ways.has(to)) continue
          ways.set(to, { from, group })
          queue.push(to)
        }
      }
    }
    return ways
  }

  /** What each member has too much of. */
  surplus(): readonly T[][] {
    return [...this.sizes.keys()].map((member) =>
      [...this.groups.values()].flatMap(({ kept, wanted }) => {
        const mine = kept[member] ?? []
        return mine.slice(0, Math.max(0, mine.length - (wanted[member] ?? 0)))
      }),
    )
  }

  /** The member that a piece without one goes to; `sizeOf` is what members have at the moment. */
  place(piece: T, sizeOf: (member: number) => number): number | undefined {
    const group = this.group(piece)
    const open = group.members.filter((member) => (group.kept[member]?.length ?? 0) < (group.wanted[member] ?? 0))
    const member = least(open, sizeOf)
    if (member !== undefined) group.kept[member]?.push(piece)
    return member
  }
}

/** The first of those with the lowest size. */
function least(members: readonly number[], sizeOf: (member: number) => number): number | undefined {
  let found: number | undefined
  for (const member of members) if (found === undefined || sizeOf(member) < sizeOf(found)) found = member
  return found
}
