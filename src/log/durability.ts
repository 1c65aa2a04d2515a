interface Round {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** Everything below this offset is covered by the round. */
  target: number
}

function newRound(): Round {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Nobody may be waiting for a round that fails; those who are get the rejection all the same.
  promise.catch(() => {})
  return { promise, resolve, reject, target: -1 }
}

/** How far a log is on disk, and who waits for more. One promise serves everybody who waits for the same sync. */
export class Durability {
  #durableOffset: number
  #current: Round | undefined
  #next: Round | undefined
  #failure: Error | undefined

  constructor(durableOffset: number) {
    this.#durableOffset = durableOffset
  }

  /** Every offset below is on disk. */
  get durableOffset(): number {
    return this.#durableOffset
  }

  /** Resolves once everything below `offset` is on disk; undefined when it is. */
  reaches(offset: number): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure)
    if (offset <= this.#durableOffset) return undefined
    if (this.#current && offset <= this.#current.target) return this.#current.promise
    this.#next ??= newRound()
    return this.#next.promise
  }

  /** Whether the sync that is running covers `offset`. */
  isUnderWay(offset: number): boolean {
    return this.#current !== undefined && offset <= this.#current.target
  }

  /** A sync starts that will cover everything below `target`. */
  begin(target: number): void {
    this.#current = this.#next ?? newRound()
    this.#next = undefined
    this.#current.target = target
  }

  succeed(): void {
    const round = this.#current
    // The log may have been given up while its sync was under way.
    if (!round) return
    this.#current = undefined
    this.#durableOffset = Math.max(this.#durableOffset, round.target)
    round.resolve()
  }

  /** After a failed sync nobody knows what is on disk, so nothing is ever confirmed again. */
  fail(error: Error): void {
    this.#failure = error
    this.#current?.reject(error)
    this.#next?.reject(error)
    this.#current = undefined
    this.#next = undefined
  }
}
