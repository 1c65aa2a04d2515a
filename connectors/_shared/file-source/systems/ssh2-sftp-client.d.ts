// The part of ssh2-sftp-client that is used here; the package has no types.
declare module 'ssh2-sftp-client' {
  import type { Readable } from 'node:stream'

  export interface SftpEntry {
    readonly type: string
    readonly name: string
    readonly size: number
    readonly modifyTime: number
  }

  export interface SftpStat {
    readonly size: number
    readonly modifyTime: number
    readonly isFile: boolean
  }

  export interface SftpConnectOptions {
    readonly host: string
    readonly port: number
    readonly username: string
    readonly password?: string
    readonly privateKey?: string
    readonly passphrase?: string
    readonly readyTimeout: number
    readonly keepaliveInterval: number
    readonly hostVerifier: (key: Buffer) => boolean
  }

  export default class SftpClient {
    /** The connection below. */
    readonly client: {
      setNoDelay(isOn: boolean): unknown
      once(event: 'close', listener: () => void): unknown
      destroy(): unknown
    }
    constructor(name?: string, callbacks?: Readonly<Record<'error' | 'end' | 'close', (error?: Error) => void>>)
    connect(options: SftpConnectOptions): Promise<unknown>
    list(path: string): Promise<SftpEntry[]>
    stat(path: string): Promise<SftpStat>
    /** The type of what is there, as in listings. */
    exists(path: string): Promise<false | string>
    get(path: string): Promise<Buffer>
    put(
      source: Buffer | Readable,
      path: string,
      options?: { writeStreamOptions?: { flags?: string } },
    ): Promise<unknown>
    append(source: Buffer, path: string): Promise<unknown>
    createReadStream(path: string, options: { start: number; highWaterMark: number }): Readable
    rename(from: string, to: string): Promise<unknown>
    posixRename(from: string, to: string): Promise<unknown>
    delete(path: string, notFoundOK: boolean): Promise<unknown>
    mkdir(path: string, recursive: boolean): Promise<unknown>
    rmdir(path: string, recursive: boolean): Promise<unknown>
    end(): Promise<unknown>
  }
}
