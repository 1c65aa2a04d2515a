// A way to a server that tests can shut: connections through it break, and new ones are refused until it is opened again.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

export interface Gate {
  readonly port: number
  shut(): Promise<void>
  open(): Promise<void>
}

/** Leads to a port on loopback; from a port of its own unless somebody has to know that one before. */
export async function startGate(target: number, from?: number): Promise<Gate> {
  const port = from ?? (await freePort())
  const sockets = new Set<Socket>()
  let server: Server | undefined
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    from.pipe(to)
  }
  const gate: Gate = {
    port,
    async open() {
      const listening = createServer({ noDelay: true }, (socket) => {
        const beyond = connect({ port: target, host: '127.0.0.1', noDelay: true })
        join(socket, beyond)
        join(beyond, socket)
      })
      server = listening
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject).listen(port, '127.0.0.1', resolve)
      })
    },
    async shut() {
      const listening = server
      if (!listening) return
      server = undefined
      await new Promise<void>((resolve) => {
        listening.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
    },
  }
  await gate.open()
  return gate
}
