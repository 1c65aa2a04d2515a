import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { ConfigError, ConnectError, type PluginLogger } from '@millrace/sdk'
import type { SyslogConfig } from './config.ts'
import { FrameSplitter, trimmed } from './framing.ts'
import type { MessageQueue } from './message-queue.ts'

const DATAGRAM_BUFFER_BYTES = 4 * 1024 * 1024
/** Each may hold a message of syslog.message.max.bytes that is not complete. */
const MAX_CONNECTIONS = 1000

export interface Listening {
  close(): Promise<void>
}

/** Listens; rejects with what is wrong with the address, the port or the certificate. */
export function listen(config: SyslogConfig, queue: MessageQueue, logger: PluginLogger): Promise<Listening> {
  return config['syslog.listener'] === 'UDP' ? listenUdp(config, queue, logger) : listenTcp(config, queue, logger)
}

async function listenUdp(config: SyslogConfig, queue: MessageQueue, logger: PluginLogger): Promise<Listening> {
  const address = config['syslog.listen.address']
  const socket: DatagramSocket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (bytes, { address: remote }) => {
    const end = trimmed(bytes, 0, bytes.length)
    if (end > 0) queue.offer(bytes.subarray(0, end), remote)
  })
  await bound(config, socket, () => socket.bind({ port: config['syslog.port'], address, exclusive: true }))
  try {
    socket.setRecvBufferSize(DATAGRAM_BUFFER_BYTES)
  } catch (error) {
    logger.debug({ err: error }, 'the buffer for datagrams keeps the size that the system gives')
  }
  socket.on('error', (error) => queue.fail(new ConnectError(`listening failed: ${error.message}`, { cause: error })))
  return { close: () => new Promise((resolve) => socket.close(() => resolve())) }
}

async function listenTcp(config: SyslogConfig, queue: MessageQueue, logger: PluginLogger): Promise<Listening> {
  const sockets = new Set<Socket>()
  const onSocket = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, config, queue, logger)
  }
  const isTls = config['syslog.listener'] === 'TCPSSL'
  const server: Server = isTls ? createTlsServer(certificate(config), onSocket) : createServer(onSocket)
  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', (from) => {
    logger.warn({ remote: from?.remoteAddress }, `a connection is refused: there are ${MAX_CONNECTIONS} of them`)
  })
  server.on('tlsClientError', (error) => logger.warn({ err: error }, 'a sender could not agree on TLS'))
  const port = config['syslog.port']
  await bound(config, server, () => server.listen({ port, host: config['syslog.listen.address'], exclusive: true }))
  server.on('error', (error) => queue.fail(new ConnectError(`listening failed: ${error.message}`, { cause: error })))
  queue.onRoom(() => {
    for (const socket of sockets) socket.resume()
  })
  return {
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function serve(socket: Socket, config: SyslogConfig, queue: MessageQueue, logger: PluginLogger): void {
  const remote = socket.remoteAddress ?? ''
  const splitter = new FrameSplitter(config['syslog.message.max.bytes'])
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of splitter.push(chunk)) queue.add(message, remote)
    } catch (error) {
      logger.warn({ remote }, `a connection is closed: ${(error as Error).message}; see syslog.message.max.bytes`)
      socket.destroy()
    }
    // Back-pressure: the sender's writes wait while this socket is not read.
    if (queue.isFull) socket.pause()
  })
  socket.on('end', () => {
    const rest = splitter.end()
    if (rest) queue.add(rest, remote)
  })
  socket.on('error', (error) => logger.debug({ err: error, remote }, 'a connection broke'))
}

function bound(config: SyslogConfig, socket: Server | DatagramSocket, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(describe(config, error))
    socket.once('error', fail)
    socket.once('listening', () => {
      socket.off('error', fail)
      resolve()
    })
    begin()
  })
}

function describe(config: SyslogConfig, error: NodeJS.ErrnoException): Error {
  const { 'syslog.port': port, 'syslog.listen.address': address, 'syslog.listener': listener } = config
  const protocol = listener === 'UDP' ? 'UDP' : 'TCP'
  const what = `cannot listen on ${address}, ${protocol} port ${port}`
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something else does; stop it, or change syslog.port',
    EACCES: 'that needs more rights; choose a syslog.port from 1024 on',
    EADDRNOTAVAIL: 'this machine has no such address; check syslog.listen.address',
  }
  return new ConnectError(`${what}: ${why[error.code ?? ''] ?? error.message}`, { cause: error })
}

function certificate(config: SyslogConfig): { cert: Buffer; key: Buffer; passphrase?: string } {
  const read = (key: 'syslog.ssl.cert.chain.path' | 'syslog.ssl.key.path'): Buffer => {
    try {
      return readFileSync(config[key])
    } catch (error) {
      throw new ConfigError(`${key}: the file "${config[key]}" cannot be read; check its path and rights`, {
        key,
        cause: error,
      })
    }
  }
  const passphrase = config['syslog.ssl.key.password']
  const pair = { cert: read('syslog.ssl.cert.chain.path'), key: read('syslog.ssl.key.path') }
  return passphrase === '' ? pair : { ...pair, passphrase }
}
