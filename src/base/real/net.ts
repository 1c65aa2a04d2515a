import net from 'node:net'
import type { Connection, Listener, Net } from '../net.ts'

type ChunkListener = (chunk: Buffer) => void

/** Gives the socket its listener of data; the usual way is the `data` event. */
type Subscribe = (listener: ChunkListener) => void

function wrap(socket: net.Socket, subscribe: Subscribe = (listener) => void socket.on('data', listener)): Connection {
  socket.setNoDelay(true)
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure = error
  })
  return {
    remoteAddress: `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`,
    write(buffers, onSent) {
      if (socket.destroyed) return
      const last = buffers.length - 1
      const written = onSent && ((error?: Error | null) => !error && onSent())
      if (last === 0) {
        socket.write(buffers[0]!, written)
        return
      }
      socket.cork()
      for (let i = 0; i < last; i++) socket.write(buffers[i]!)
      if (last >= 0) socket.write(buffers[last]!, written)
      socket.uncork()
    },
    get bufferedBytes() {
      return socket.writableLength
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    onData: subscribe,
    onDrain: (listener) => void socket.on('drain', listener),
    onClose: (listener) => void socket.once('close', () => listener(failure)),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  }
}

/**
 * Node reads into a buffer of the caller (`onread`) only for sockets that are made with it, which accepted ones are not.
 * So the handle of the accepted socket is put into a new one. Without a handle, in some other Node, chunks are allocated.
 */
function wrapInto(accepted: net.Socket, receiveBuffer: Buffer): Connection {
  const bare = accepted as unknown as { _handle: object | null }
  const handle = bare._handle
  if (handle === null || handle === undefined) {
    accepted.resume()
    return wrap(accepted)
  }
  bare._handle = null
  const reads = readsInto(receiveBuffer)
  const socket = new net.Socket({ handle, onread: reads.onread } as net.SocketConstructorOpts)
  accepted.destroy()
  return wrap(socket, (listener) => {
    reads.subscribe(listener)
    socket.resume()
  })
}

/** What makes a socket read into a buffer of ours. */
function readsInto(receiveBuffer: Buffer): { readonly onread: net.OnReadOpts; readonly subscribe: Subscribe } {
  let listener: ChunkListener | undefined
  const callback = (bytes: number, buffer: Uint8Array) => {
    listener?.((buffer as Buffer).subarray(0, bytes))
    return true
  }
  const subscribe: Subscribe = (given) => {
    listener = given
  }
  return { onread: { buffer: receiveBuffer, callback }, subscribe }
}

/** TCP of the machine. */
export const realNet: Net = {
  connect({ host, port, timeoutMs, receiveBuffer }) {
    return new Promise((resolve, reject) => {
      const reads = receiveBuffer && readsInto(receiveBuffer)
      const socket = net.connect({ host, port, ...(reads && { onread: reads.onread }) })
      const timer = setTimeout(() => socket.destroy(new Error(`connect to ${host}:${port} timed out`)), timeoutMs)
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.removeListener('error', reject)
        resolve(wrap(socket, reads?.subscribe))
      })
      socket.once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
    })
  },
  listen({ host, port, receiveBuffer }, onConnection) {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ pauseOnConnect: receiveBuffer !== undefined }, (socket) => {
        onConnection(receiveBuffer === undefined ? wrap(socket) : wrapInto(socket, receiveBuffer))
      })
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.removeListener('error', reject)
        const address = server.address() as net.AddressInfo
        const listener: Listener = {
          host: address.address,
          port: address.port,
          close: () => new Promise((done) => server.close(() => done())),
        }
        resolve(listener)
      })
    })
  },
}
