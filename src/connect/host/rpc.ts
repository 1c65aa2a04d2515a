import { describeError, RemoteError, type ErrorDescription } from './remote-error.ts'

/** A method of one side: its parameters and its result, both plain data that structured clone can carry. */
export interface Method {
  params: unknown
  result: unknown
}

export type Methods = Record<string, Method>

/** What goes over the channel between a worker and one of its task hosts. */
type Message =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly type: 'event'; readonly method: string; readonly params: unknown }
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorDescription }

/** The channel below: `send` answers false when the other side is gone. */
export interface Channel {
  send(message: unknown): boolean
  onMessage(listener: (message: unknown) => void): void
}

export type Handlers<M extends Methods> = {
  readonly [N in keyof M]: (params: M[N]['params']) => M[N]['result'] | Promise<M[N]['result']>
}

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
}

/**
 * Calls in both directions over one channel. A call settles when the answer comes or the channel closes; who wants a
 * time-out sets it around the call, because only the caller knows what to do then.
 */
export class RpcPeer<Local extends Methods, Remote extends Methods> {
  readonly #channel: Channel
  readonly #handlers: Handlers<Local>
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #closed: Error | undefined

  constructor(channel: Channel, handlers: Handlers<Local>) {
    this.#channel = channel
    this.#handlers = handlers
    channel.onMessage((message) => this.#receive(message as Message))
  }

  /** Calls the other side; rejects with a RemoteError when it threw, and when the channel closes. */
  call<N extends keyof Remote & string>(method: N, params: Remote[N]['params']): Promise<Remote[N]['result']> {
    if (this.#closed) return Promise.reject(this.#closed)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject })
      if (!this.#channel.send({ type: 'call', id, method, params } satisfies Message)) {
        this.#pending.delete(id)
        reject(new RemoteError({ name: 'Error', message: 'the other process is gone', trace: '', code: 'GONE' }))
      }
    })
  }

  /** Tells the other side something; nobody waits for it. */
  tell<N extends keyof Remote & string>(method: N, params: Remote[N]['params']): void {
    if (!this.#closed) this.#channel.send({ type: 'event', method, params } satisfies Message)
  }

  /** Fails every open call. */
  close(reason: Error): void {
    if (this.#closed) return
    this.#closed = reason
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const call of pending) call.reject(reason)
  }

  #receive(message: Message): void {
    if (message.type === 'call' || message.type === 'event') {
      void this.#run(message)
      return
    }
    const call = this.#pending.get(message.id)
    if (!call) return
    this.#pending.delete(message.id)
    if (message.type === 'result') call.resolve(message.result)
    else call.reject(new RemoteError(message.error))
  }

  async #run(message: Extract<Message, { type: 'call' | 'event' }>): Promise<void> {
    const handler = this.#handlers[message.method] as ((params: unknown) => unknown) | undefined
    try {
      if (!handler) throw new Error(`there is no method ${message.method}`)
      const result = await handler(message.params)
      if (message.type === 'call') this.#channel.send({ type: 'result', id: message.id, result } satisfies Message)
    } catch (error) {
      // An event has no answer: its handler reports its own failures, so what arrives here is a bug and must be loud.
      if (message.type === 'event') throw error
      this.#channel.send({ type: 'error', id: message.id, error: describeError(error) } satisfies Message)
    }
  }
}
