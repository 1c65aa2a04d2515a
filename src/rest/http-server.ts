import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A port that answers from the first moment: 503 until the API is there. */
export interface RestServer {
  readonly port: number
  /** Hands the port to the API. */
  serve(app: FastifyInstance): Promise<void>
  close(): Promise<void>
}

const STARTING = JSON.stringify({ status: 'starting', message: 'Worker is still starting up.' })

/** Listens at once, so that the port is known before the worker says to others where it is reached. */
export async function openRestServer(listener: { host: string | null; port: number }): Promise<RestServer> {
  let handler: RequestListener = (_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' }).end(STARTING)
  }
  const server = createServer((request, response) => handler(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: listener.port, ...(listener.host === null ? {} : { host: listener.host }) }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async serve(app) {
      await app.ready()
      handler = (request, response) => app.routing(request, response)
    },
    close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      // An open console or a keep-alive client must not hold up a shutdown.
      server.closeAllConnections()
      return closed
    },
  }
}
