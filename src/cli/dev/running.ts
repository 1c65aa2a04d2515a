/** What runs, in the order in which it was started; closed in the reverse order. */
export class Running {
  readonly #closers: (() => Promise<unknown>)[] = []

  add(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) {
      // One part that fails to stop must not keep the others running.
      await close().catch((error: unknown) => process.stderr.write(`while stopping: ${String(error)}\n`))
    }
  }
}
