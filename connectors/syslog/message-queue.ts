const MAX_BYTES = 64 * 1024 * 1024

/** A message as it came. */
export interface Received {
  readonly text: string
  readonly remote: string
  readonly atMs: number
}

/** What was received and is not yet polled; bounded in messages and bytes. */
export class MessageQueue {
  readonly #maxMessages: number
  #messages: Received[] = []
  #bytes = 0
  #lost = 0
  #failure: Error | undefined
  #wake: (() => void) | undefined
  #onRoom: () => void = () => undefined

  constructor(maxMessages: number) {
    this.#maxMessages = maxMessages
  }

  get isFull(): boolean {
    return this.#messages.length >= this.#maxMessages || this.#bytes >= MAX_BYTES
  }

  /** Datagrams that found no room since the last call. */
  takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  /** Called whenever there is room again. */
  onRoom(action: () => void): void {
    this.#onRoom = action
  }

  /** Takes a message in any case: the caller stops reading when it is full. */
  add(bytes: Buffer, remote: string): void {
    this.#bytes += bytes.length
    this.#messages.push({ text: bytes.toString('utf8'), remote, atMs: Date.now() })
    this.#wake?.()
  }

  /** Takes a datagram if there is room: nobody can be made to wait. */
  offer(bytes: Buffer, remote: string): void {
    if (this.isFull) this.#lost++
    else this.add(bytes, remote)
  }

  /** Makes `take` throw. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }

  /** Some messages; none when there were none for the time or when the signal aborts. */
  async take(max: number, waitMs: number, signal: AbortSignal): Promise<readonly Received[]> {
    if (this.#messages.length === 0 && !this.#failure && !signal.aborted) await this.#change(waitMs, signal)
    if (this.#failure) throw this.#failure
    const wasFull = this.isFull
    const taken = this.#messages.splice(0, max)
    for (const { text } of taken) this.#bytes -= Buffer.byteLength(text)
    // Bytes that are no UTF-8 have another length as text.
    if (this.#messages.length === 0) this.#bytes = 0
    if (wasFull && !this.isFull) this.#onRoom()
    return taken
  }

  #change(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, waitMs)
      signal.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }
}
