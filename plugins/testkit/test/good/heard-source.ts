import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { defineConfig, defineSourceConnector, schemas, type SourceRecord } from '@millrace/sdk'

const config = defineConfig({
  socket: { type: 'string', nonEmpty: true, importance: 'high', doc: 'The socket to listen on', example: '/tmp/heard' },
})

/** Gives the lines that it is sent, once, and to nobody when it does not run. */
export default defineSourceConnector({
  name: 'HeardSource',
  version: '1.0.0',
  config,
  taskConfigs: (_config, _maxTasks, raw) => [raw],
  createTask({ socket: path }) {
    const heard: SourceRecord[] = []
    const sockets = new Set<Socket>()
    let server: Server | undefined
    let wake = (): void => {}
    const hear = (value: string): void => {
      heard.push({
        topic: 'heard',
        partition: null,
        key: null,
        keySchema: null,
        value,
        valueSchema: schemas.string,
        headers: [],
        timestamp: null,
        sourcePartition: { path },
        sourceOffset: {},
      })
      wake()
    }
    return {
      async start() {
        // One that was killed has left it behind.
        rmSync(path, { force: true })
        const listening = createServer((socket) => {
          sockets.add(socket.on('close', () => sockets.delete(socket)))
          createInterface(socket).on('line', hear)
        })
        server = listening
        await new Promise<void>((resolve, reject) => {
          listening.once('error', reject).listen(path, resolve)
        })
      },
      async poll(signal) {
        if (heard.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
        }
        return heard.splice(0, 2)
      },
      async stop() {
        for (const socket of sockets) socket.destroy()
        await new Promise<void>((resolve) => void server?.close(() => resolve()))
      },
    }
  },
})
