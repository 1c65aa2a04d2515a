import process from 'node:process'

/** The standard input as chunks on demand; it is paused while nobody reads, so memory stays bounded. */
export class StandardInput {
  #chunks: Buffer[] = []
  #ended = false
  #started = false
  #wake: () => void = () => undefined

  /** The next bytes; null when the signal came first, `ended` when there will be no more. */
  async read(signal: AbortSignal): Promise<Buffer | null | 'ended'> {
    this.#start()
    if (this.#chunks.length === 0 && !this.#ended && !signal.aborted) {
      process.stdin.resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      process.stdin.pause()
    }
    const chunk = this.#chunks.shift()
    if (chunk) return chunk
    return this.#ended ? 'ended' : null
  }

  close(): void {
    process.stdin.off('data', this.#onData)
    process.stdin.off('end', this.#onEnd)
    process.stdin.off('error', this.#onEnd)
    process.stdin.pause()
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    process.stdin.on('data', this.#onData)
    process.stdin.on('end', this.#onEnd)
    process.stdin.on('error', this.#onEnd)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#wake()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#wake()
  }
}
