import { readFileSync } from 'node:fs'
import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { sslRequest } from './message-writer.ts'
import { connectionError } from './postgres-error.ts'

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

export interface SocketOptions {
  readonly host: string
  readonly port: number
  readonly sslmode: SslMode
  /** Files in PEM form. */
  readonly sslrootcert?: string | undefined
  readonly sslcert?: string | undefined
  readonly sslkey?: string | undefined
  readonly sslpassword?: string | undefined
  readonly tcpKeepAlive?: boolean
  readonly connectTimeoutMs?: number
}

const CONNECT_TIMEOUT_MS = 10_000

/** Opens a socket; with `tls` it is encrypted, and `optional` TLS falls back to plain text when the server has none. */
export async function openSocket(options: SocketOptions, tls: 'no' | 'optional' | 'yes'): Promise<Socket> {
  const socket = await openTcp(options)
  try {
    if (tls === 'no') return socket
    const answer = await askForTls(socket)
    if (answer === 'S') return await startTls(socket, options)
    if (tls === 'yes') {
      throw connectionError(`${options.host}:${options.port} offers no TLS, but sslmode is "${options.sslmode}"`)
    }
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function openTcp(options: SocketOptions): Promise<Socket> {
  const { host, port } = options
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true, keepAlive: options.tcpKeepAlive ?? true })
    const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    const failed = (cause: Error): void => {
      clearTimeout(timer)
      reject(connectionError(`cannot connect to Postgres at ${host}:${port}: ${cause.message}`, cause))
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(socket)
    })
  })
}

function askForTls(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.off('data', data).off('error', failed).off('close', closed)
    }
    const data = (chunk: Buffer): void => {
      done()
      socket.pause()
      // Bytes before the handshake could be injected by someone in between (CVE-2021-23222).
      if (chunk.length !== 1) reject(connectionError('unencrypted bytes after the answer to SSLRequest'))
      else resolve(chunk.toString('latin1'))
    }
    const failed = (error: Error): void => {
      done()
      reject(connectionError(`connection lost while asking for TLS: ${error.message}`, error))
    }
    const closed = (): void => failed(new Error('closed by the server'))
    socket.on('data', data).on('error', failed).on('close', closed)
    socket.write(sslRequest())
  })
}

function startTls(socket: Socket, options: SocketOptions): Promise<Socket> {
  // As libpq: "require" with a root certificate is checked like verify-ca.
  const checkChain = options.sslmode.startsWith('verify') || (options.sslmode === 'require' && options.sslrootcert)
  const read = (file: string | undefined): Buffer | undefined => (file ? readFileSync(file) : undefined)
  const tlsOptions: ConnectionOptions = {
    socket,
    rejectUnauthorized: Boolean(checkChain),
    ca: read(options.sslrootcert),
    cert: read(options.sslcert),
    key: read(options.sslkey),
    passphrase: options.sslpassword,
    ...(isIP(options.host) ? {} : { servername: options.host }),
    ...(options.sslmode === 'verify-full' ? { host: options.host } : { checkServerIdentity: () => undefined }),
  }
  return new Promise((resolve, reject) => {
    const secure = connectTls(tlsOptions)
    const failed = (error: Error): void => {
      reject(connectionError(`TLS with ${options.host}:${options.port} failed: ${error.message}`, error))
    }
    secure.once('error', failed)
    secure.once('secureConnect', () => {
      secure.off('error', failed)
      resolve(secure)
    })
  })
}
