// Stands between client and server, and loses answers: the server has done what the client does not hear of.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface AnswerEater {
  readonly port: number
  /** Of the next requests of the kind, so many are carried out, but their answers never arrive. */
  eat(count: number): void
  /** How many answers were lost. */
  eaten(): number
  stop(): Promise<void>
}

export interface EatenAnswers {
  /** Whether these bytes of a client are a request of the kind. */
  isRequest(bytes: Buffer): boolean
  /** Whether these bytes of the server are its answer, upon which the connection is cut. */
  isAnswer(bytes: Buffer): boolean
}

/** Leads to a port on loopback. */
export async function startAnswerEater(target: number, { isRequest, isAnswer }: EatenAnswers): Promise<AnswerEater> {
  let toEat = 0
  let eaten = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    let isEating = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => (client.destroy(), upstream.destroy()))
    }
    client.on('data', (chunk) => {
      if (toEat > 0 && isRequest(chunk)) {
        toEat--
        isEating = true
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (!isEating) client.write(chunk)
      else if (isAnswer(chunk)) {
        eaten++
        client.destroy()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    eat: (count) => void (toEat = count),
    eaten: () => eaten,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
