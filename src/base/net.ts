/** A connected byte stream. `write` never blocks: look at `bufferedBytes` and wait for `onDrain` to bound memory. */
export interface Connection {
  readonly remoteAddress: string
  /**
   * Sends the buffers in order; they must not be changed before `onSent` tells that the kernel has them. It is not called
   * when the connection is closed before.
   */
  write(buffers: readonly Uint8Array[], onSent?: () => void): void
  /** Bytes accepted by `write` and not yet handed to the kernel. */
  readonly bufferedBytes: number
  /** Stops and restarts delivery of `onData`. */
  pause(): void
  resume(): void
  onData(listener: (chunk: Buffer) => void): void
  onDrain(listener: () => void): void
  /** Called once, with the error if there was one. */
  onClose(listener: (error: Error | undefined) => void): void
  /** Closes after pending writes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}

export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting; open connections stay. */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /**
   * Where all connections of the listener are read into: a chunk given to `onData` is then valid only until the listener
   * returns. Saves an allocation for every chunk, which the garbage collector would have to follow.
   */
  readonly receiveBuffer?: Buffer
}

export interface ConnectOptions {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  /** As that of a listener: chunks are read into it, and valid only until `onData`'s listener returns. */
  readonly receiveBuffer?: Buffer
}

/** Sockets as a parameter, so that a simulation can delay, drop and cut. */
export interface Net {
  connect(options: ConnectOptions): Promise<Connection>
  /** Port 0 takes a free one; see `Listener.port`. Rejects with code EADDRINUSE when the port is taken. */
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener>
}
