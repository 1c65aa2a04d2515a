/** Runs what is asked for the same key one after the other; what is asked for other keys does not wait. */
export class OneByOne {
  private readonly last = new Map<string, Promise<unknown>>()

  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.last.get(key)
    // How the one before ended is its caller's to know.
    const mine = before ? before.then(action, action) : action()
    this.last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.last.get(key) === mine) this.last.delete(key)
    }
  }
}
