import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { isRetriable } from '@millrace/sdk'
import type { Client, FileInfo, FTPError } from 'basic-ftp'
import type { Content } from '../../buffers/index.ts'
import { type ByteStream, type FileEntry, type FileSystem, joinPath, type WriteMode } from '../file-system.ts'
import { remotely } from './remote-error.ts'
import { byteStreamOf } from './stream.ts'
import { storeByRename } from './whole-file.ts'

/** What TLS is asked for, as Node takes it. */
export type FtpTls = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'minVersion'
  | 'maxVersion'
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
>

/** How an FTP server is reached. */
export interface FtpOptions {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  /** TLS: none, after a plain greeting (AUTH TLS), or from the first byte on. */
  readonly security: 'none' | 'explicit' | 'implicit'
  readonly tls: FtpTls
  readonly timeoutMs: number
  readonly chunkBytes: number
}

/** Answers that say that there is no such file, or that it may not be had. */
const UNAVAILABLE = 550
/** Answers from 400 on to 499 say that the same may succeed later. */
const PASSING_MIN = 400
const PASSING_MAX = 499
const KNOWN_TIMES_MAX = 100_000

const replyCode = (error: unknown): number | undefined => {
  const { code } = error as Partial<FTPError>
  return typeof code === 'number' ? code : undefined
}

function isPassing(error: unknown): boolean {
  const code = replyCode(error)
  if (code !== undefined) return code >= PASSING_MIN && code <= PASSING_MAX
  return /client is closed|timeout|FIN packet|closed unexpectedly|socket/i.test((error as Error).message)
}

/**
 * Files on a server, by FTP with or without TLS. The connection that commands go over cannot do anything while a file comes,
 * so each file that is read has a connection of its own.
 */
export class FtpFileSystem implements FileSystem {
  readonly label: string
  readonly appends = true
  readonly #options: FtpOptions
  readonly #client: Client
  /** Listings of many servers tell no exact times; those that were asked for are kept while a listing shows the same. */
  #times = new Map<string, { readonly shown: string; readonly modifiedMs: number }>()

  private constructor(client: Client, options: FtpOptions) {
    this.#client = client
    this.#options = options
    this.label = labelOf(options)
  }

  static async connect(options: FtpOptions): Promise<FtpFileSystem> {
    return new FtpFileSystem(await login(options), options)
  }

  async list(folder: string, recursive: boolean): Promise<FileEntry[]> {
    const found: FileEntry[] = []
    const times = new Map<string, { shown: string; modifiedMs: number }>()
    const folders = ['']
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const where = at === '' ? folder : joinPath(folder, at)
      for (const info of await this.#run(() => this.#client.list(where))) {
        const path = at === '' ? info.name : `${at}/${info.name}`
        if (info.isDirectory && recursive) folders.push(path)
        if (!info.isFile) continue
        const full = joinPath(folder, path)
        const shown = `${info.size} ${info.rawModifiedAt}`
        const modifiedMs = await this.#modified(full, shown, info)
        if (times.size < KNOWN_TIMES_MAX) times.set(full, { shown, modifiedMs })
        found.push({ path, length: info.size, modifiedMs })
      }
    }
    this.#times = times
    // Servers list nothing where there is no folder, too.
    if (found.length === 0) await this.#mustExist(folder)
    return found
  }

  #mustExist(folder: string): Promise<void> {
    return this.#run(async () => {
      const home = await this.#client.pwd()
      await this.#client.cd(folder)
      await this.#client.cd(home)
    })
  }

  async #modified(path: string, shown: string, info: FileInfo): Promise<number> {
    if (info.modifiedAt !== undefined) return info.modifiedAt.getTime()
    const known = this.#times.get(path)
    return known?.shown === shown ? known.modifiedMs : this.#askModified(path)
  }

  /** 0 where the server does not know the command. */
  #askModified(path: string): Promise<number> {
    return this.#run(async () => {
      try {
        return (await this.#client.lastMod(path)).getTime()
      } catch (error) {
        if (replyCode(error) === undefined || isPassing(error)) throw error
        return 0
      }
    })
  }

  async stat(path: string): Promise<FileEntry | null> {
    const length = await this.#orNull(() => this.#client.size(path))
    return length === null ? null : { path, length, modifiedMs: await this.#askModified(path) }
  }

  open(path: string, position: number): Promise<ByteStream> {
    return this.#run(async () => {
      const client = await login(this.#options)
      const [data, stream] = [0, 1].map(() => new PassThrough({ highWaterMark: this.#options.chunkBytes })) as [
        PassThrough,
        PassThrough,
      ]
      // A data connection that breaks looks like the end of the file: only the server's last word makes it one.
      data.pipe(stream, { end: false })
      Promise.all([client.downloadTo(data, path, position), once(data, 'end')]).then(
        () => {
          client.close()
          stream.end()
        },
        (error: unknown) => {
          client.close()
          stream.destroy(error as Error)
        },
      )
      return byteStreamOf(
        stream,
        (operation) => this.#run(operation),
        () => client.close(),
      )
    })
  }

  async read(path: string): Promise<Buffer | null> {
    const chunks: Buffer[] = []
    const collect = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    const found = await this.#orNull(() => this.#client.downloadTo(collect, path))
    return found === null ? null : Buffer.concat(chunks)
  }

  /** FTP has no way to write a file only when there is none, so between the look and the write another may. */
  async write(path: string, bytes: Uint8Array, mode: WriteMode): Promise<boolean> {
    if (mode === 'new' && (await this.stat(path)) !== null) return false
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    await this.#run(() =>
      mode === 'append'
        ? this.#client.appendFrom(Readable.from([buffer]), path)
        : this.#client.uploadFrom(Readable.from([buffer]), path),
    )
    return true
  }

  async store(path: string, content: Content): Promise<void> {
    await storeByRename(this, path, content, {
      write: async (part, bytes) => {
        await this.#run(() => this.#client.uploadFrom(bytes, part))
      },
      replace: (from, to) => this.#replace(from, to),
    })
  }

  /** Many servers replace a file at once, some refuse to. */
  async #replace(from: string, to: string): Promise<void> {
    try {
      await this.move(from, to)
    } catch (error) {
      if (isRetriable(error) || (await this.stat(to)) === null) throw error
      await this.remove(to)
      await this.move(from, to)
    }
  }

  async move(from: string, to: string): Promise<void> {
    await this.#run(() => this.#client.rename(from, to))
  }

  async remove(path: string): Promise<void> {
    await this.#orNull(() => this.#client.remove(path))
  }

  async makeFolder(folder: string): Promise<void> {
    let path = folder.startsWith('/') ? '/' : ''
    for (const part of folder.split('/').filter((each) => each !== '')) {
      path = path === '' ? part : joinPath(path, part)
      // What exists is refused by the same code as what is forbidden; the write that follows tells them apart.
      await this.#orNull(() => this.#client.send(`MKD ${path}`))
    }
  }

  removeEmptyFolder(folder: string): Promise<boolean> {
    return this.#client.send(`RMD ${folder}`).then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {
    this.#client.close()
  }

  #run<T>(operation: () => Promise<T>): Promise<T> {
    return remotely(this.label, isPassing, operation)
  }

  #orNull<T>(operation: () => Promise<T>): Promise<T | null> {
    return this.#run(async () => {
      try {
        return await operation()
      } catch (error) {
        if (replyCode(error) === UNAVAILABLE) return null
        throw error
      }
    })
  }
}

async function login(options: FtpOptions): Promise<Client> {
  const { Client: FtpClient } = await import('basic-ftp')
  const { host, port, username, password, security, tls, timeoutMs } = options
  const client = new FtpClient(timeoutMs)
  try {
    await remotely(labelOf(options), isPassing, () =>
      client.access({
        host,
        port,
        user: username,
        password,
        secure: security === 'none' ? false : security === 'implicit' ? 'implicit' : true,
        secureOptions: tls,
      }),
    )
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

function labelOf({ host, port, security }: FtpOptions): string {
  return `${security === 'none' ? 'ftp' : 'ftps'}://${host}:${port}`
}
