/** What the files of a task hold in memory together, and the most that they may. */
export class Memory {
  readonly limit: number
  used = 0

  constructor(limit: number) {
    this.limit = limit
  }
}
