import net from 'node:net'
import type { Connection, Listener, Net } from '../net.ts'

function wrap(socket: net.Socket): Connection {
  socket.setNoDelay(true)
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure = error
  })
  return {
    remoteAddress: `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`,
    write(buffers) {
      if (socket.destroyed) return
      if (buffers.length === 1) {
        socket.write(buffers[0]!)
        return
      }
      socket.cork()
      for (const buffer of buffers) socket.write(buffer)
      socket.uncork()
    },
    get bufferedBytes() {
      return socket.writableLength
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    onData: (listener) => void socket.on('data', listener),
    onDrain: (listener) => void socket.on('drain', listener),
    onClose: (listener) => void socket.once('close', () => listener(failure)),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  }
}

/** TCP of the machine. */
export const realNet: Net = {
  connect({ host, port, timeoutMs }) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port })
      const timer = setTimeout(() => socket.destroy(new Error(`connect to ${host}:${port} timed out`)), timeoutMs)
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.removeListener('error', reject)
        resolve(wrap(socket))
      })
      socket.once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
    })
  },
  listen({ host, port }, onConnection) {
    return new Promise((resolve, reject) => {
      const server = net.createServer((socket) => onConnection(wrap(socket)))
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
