/** A connection as far as memory is concerned. */
export interface MemoryUser {
  /** Bytes of a request that has not arrived whole. */
  readonly partialBytes: number
  /** Stops and restarts reading because of the shared limit. */
  setMemoryPaused(paused: boolean): void
}

/**
 * Bounds the bytes of requests that all connections hold together (`queued.max.request.bytes`). Over the limit nobody is
 * read from, with one exception: when no request is being worked on, so that none would ever be released, one connection
 * may finish the request it is in the middle of.
 */
export class RequestMemory {
  readonly #limitBytes: number
  #usedBytes = 0
  /** Requests that are complete and not answered yet: each will release memory. */
  #requests = 0
  readonly #waiting = new Set<MemoryUser>()
  #elected: MemoryUser | undefined

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes < 0 ? Number.POSITIVE_INFINITY : limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Bytes arrived for this user. */
  received(user: MemoryUser, bytes: number): void {
    this.#usedBytes += bytes
    if (bytes <= 0 || this.#usedBytes <= this.#limitBytes || user === this.#elected || this.#waiting.has(user)) return
    this.#waiting.add(user)
    user.setMemoryPaused(true)
    this.#electIfStuck()
  }

  /** A request of this user is complete; it will be followed by `release`. */
  requestStarted(user: MemoryUser): void {
    this.#requests++
    if (user === this.#elected) this.#elected = undefined
  }

  /** A request was answered; its bytes are gone. */
  requestDone(bytes: number): void {
    this.#requests--
    this.#release(bytes)
  }

  /** The user is gone with these bytes of an unfinished request. */
  userGone(user: MemoryUser, bytes: number): void {
    this.#waiting.delete(user)
    if (user === this.#elected) this.#elected = undefined
    this.#release(bytes)
  }

  #release(bytes: number): void {
    this.#usedBytes -= bytes
    if (this.#waiting.size === 0) return
    if (this.#usedBytes > this.#limitBytes) {
      this.#electIfStuck()
      return
    }
    const users = [...this.#waiting]
    this.#waiting.clear()
    for (const user of users) user.setMemoryPaused(false)
  }

  #electIfStuck(): void {
    if (this.#requests > 0 || this.#elected !== undefined) return
    // Nobody is worked for, so all that is held are unfinished requests: the longest is likely to be whole first.
    let user: MemoryUser | undefined
    for (const waiting of this.#waiting) {
      if (waiting.partialBytes > (user?.partialBytes ?? 0)) user = waiting
    }
    if (user === undefined) return
    this.#waiting.delete(user)
    this.#elected = user
    user.setMemoryPaused(false)
  }
}
