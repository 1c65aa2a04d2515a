import { createHash } from 'node:crypto'
import { ConnectError, isRetriable, type PluginLogger } from '@millrace/sdk'
import type SftpClient from 'ssh2-sftp-client'
import type { Content } from '../../buffers/index.ts'
import { pause } from '../../retry/index.ts'
import { type ByteStream, type FileEntry, type FileSystem, joinPath, type WriteMode } from '../file-system.ts'
import { remotely } from './remote-error.ts'
import { byteStreamOf } from './stream.ts'
import { storeByRename } from './whole-file.ts'

/** How an SFTP server is reached. */
export interface SftpOptions {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  /** A key as PEM text; empty for none. */
  readonly privateKey: string
  readonly passphrase: string
  /** `SHA256:...` of the server's key, as ssh-keygen -l writes it; empty accepts any. */
  readonly hostFingerprint: string
  readonly timeoutMs: number
  readonly chunkBytes: number
  readonly logger: PluginLogger
}

const KEEPALIVE_MS = 10_000
const CLOSE_MS = 5000
const CONNECTION_LOST = 'connection lost'
const LOST =
  /no sftp connection|not connected|connection lost|unexpected (end|close)|timed out|no response from server|before handshake/i

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

/** Whether an error is of the connection, and not of a file or of a login. */
function isLost(error: unknown): boolean {
  return codeOf(error) === 'ERR_NOT_CONNECTED' || LOST.test((error as Error).message)
}

/** Servers say it by code, and the library by a code of its own. */
const isMissing = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 2 || /no such file/i.test((error as Error).message)

/** Files on a server, by SFTP. */
export class SftpFileSystem implements FileSystem {
  readonly label: string
  readonly appends = true
  readonly #client: SftpClient
  readonly #chunkBytes: number

  /** Resolves when the connection is gone, whoever ended it. */
  readonly #gone: Promise<void>
  /** Rejections of requests that wait for an answer; null when none will come any more. */
  #waiting: Set<(error: Error) => void> | null = new Set()

  private constructor(client: SftpClient, options: SftpOptions) {
    this.#client = client
    this.#gone = new Promise((resolve) => client.client.once('close', resolve))
    void this.#gone.then(() => {
      const waiting = this.#waiting ?? []
      this.#waiting = null
      for (const reject of waiting) reject(new Error(CONNECTION_LOST))
    })
    this.#chunkBytes = options.chunkBytes
    this.label = labelOf(options)
  }

  static async connect(options: SftpOptions): Promise<SftpFileSystem> {
    const { default: Client } = await import('ssh2-sftp-client')
    // Errors between operations are met by the next one.
    const ignore = (): void => undefined
    const client = new Client('sftp', { error: ignore, end: ignore, close: ignore })
    let seen = ''
    const { host, port, username, password, privateKey, passphrase, hostFingerprint, timeoutMs } = options
    await remotely(labelOf(options), isLost, async () => {
      try {
        await client.connect({
          host,
          port,
          username,
          ...(password === '' ? {} : { password }),
          ...(privateKey === '' ? {} : { privateKey }),
          ...(passphrase === '' ? {} : { passphrase }),
          readyTimeout: timeoutMs,
          keepaliveInterval: KEEPALIVE_MS,
          hostVerifier: (key) => {
            seen = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
            return hostFingerprint === '' || seen === hostFingerprint
          },
        })
      } catch (error) {
        if (hostFingerprint === '' || seen === '' || seen === hostFingerprint) throw error
        throw new ConnectError(
          `${labelOf(options)}: the key of the server is ${seen}, and sftp.host.fingerprint is ${hostFingerprint}`,
          { cause: error },
        )
      }
    })
    // A request and its answer are small: waiting for more to send would cost 40 ms for each.
    client.client.setNoDelay(true)
    if (hostFingerprint === '') {
      options.logger.warn(
        { host, fingerprint: seen },
        'the key of the server is not checked; set sftp.host.fingerprint to it',
      )
    }
    return new SftpFileSystem(client, options)
  }

  async list(folder: string, recursive: boolean): Promise<FileEntry[]> {
    const found: FileEntry[] = []
    const folders = ['']
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const where = at === '' ? folder : joinPath(folder, at)
      for (const { type, name, size, modifyTime } of await this.#run(() => this.#client.list(where))) {
        const path = at === '' ? name : `${at}/${name}`
        if (type === 'd' && recursive) folders.push(path)
        if (type === '-') found.push({ path, length: size, modifiedMs: modifyTime })
      }
    }
    return found
  }

  stat(path: string): Promise<FileEntry | null> {
    return this.#orNull(async () => {
      const { size, modifyTime, isFile } = await this.#client.stat(path)
      return isFile ? { path, length: size, modifiedMs: modifyTime } : null
    })
  }

  open(path: string, position: number): Promise<ByteStream> {
    return this.#run(async () => {
      const stream = this.#client.createReadStream(path, { start: position, highWaterMark: this.#chunkBytes })
      return byteStreamOf(stream, (operation) => this.#run(operation))
    })
  }

  read(path: string): Promise<Buffer | null> {
    return this.#orNull(() => this.#client.get(path))
  }

  async write(path: string, bytes: Uint8Array, mode: WriteMode): Promise<boolean> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (mode === 'append' && (await this.stat(path)) !== null) {
      await this.#run(() => this.#client.append(buffer, path))
      return true
    }
    const flags = mode === 'new' ? 'wx' : 'w'
    try {
      await this.#run(() => this.#client.put(buffer, path, { writeStreamOptions: { flags } }))
      return true
    } catch (error) {
      // Servers give no code of its own to a file that exists.
      if (mode === 'new' && (await this.stat(path)) !== null) return false
      throw error
    }
  }

  async store(path: string, content: Content): Promise<void> {
    await storeByRename(this, path, content, {
      write: async (part, bytes) => {
        await this.#run(() => this.#client.put(bytes, part))
      },
      replace: (from, to) => this.#replace(from, to),
    })
  }

  /** At once where the server knows the extension of OpenSSH; the protocol itself has no way to replace a file. */
  async #replace(from: string, to: string): Promise<void> {
    try {
      await this.#run(() => this.#client.posixRename(from, to))
    } catch (error) {
      if (isRetriable(error)) throw error
      await this.remove(to)
      await this.move(from, to)
    }
  }

  async move(from: string, to: string): Promise<void> {
    await this.#run(() => this.#client.rename(from, to))
  }

  async remove(path: string): Promise<void> {
    await this.#run(() => this.#client.delete(path, true))
  }

  async makeFolder(folder: string): Promise<void> {
    // Others may make the same folders at this moment: each failure then means that there is one more of them.
    for (let left = folder.split('/').length; ; left--) {
      try {
        await this.#run(() => this.#client.mkdir(folder, true))
        return
      } catch (error) {
        if (isRetriable(error)) throw error
        if ((await this.#run(() => this.#client.exists(folder))) === 'd') return
        if (left <= 0) throw error
      }
    }
  }

  removeEmptyFolder(folder: string): Promise<boolean> {
    return this.#client.rmdir(folder, false).then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {
    // The library waits for ever for the end of a connection that broke during a request, and a server may not answer.
    const over = new AbortController()
    await Promise.race([this.#client.end().catch(() => undefined), this.#gone, pause(CLOSE_MS, over.signal)])
    over.abort()
    this.#client.client.destroy()
  }

  #run<T>(operation: () => Promise<T>): Promise<T> {
    return remotely(this.label, isLost, () => this.#orLost(operation))
  }

  /** The library never answers a request that is made while the connection breaks. */
  #orLost<T>(operation: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting
    if (waiting === null) return Promise.reject(new Error(CONNECTION_LOST))
    return new Promise((resolve, reject) => {
      waiting.add(reject)
      const done = (): void => void waiting.delete(reject)
      operation().finally(done).then(resolve, reject)
    })
  }

  #orNull<T>(operation: () => Promise<T | null>): Promise<T | null> {
    return this.#run(() =>
      operation().catch((error: unknown) => {
        if (isMissing(error)) return null
        throw error
      }),
    )
  }
}

function labelOf({ host, port }: SftpOptions): string {
  return `sftp://${host}:${port}`
}
