import { ConnectError } from '@millrace/sdk'
import type { Content } from '../../buffers/index.ts'
import { classifyS3, type ListedObject, type ObjectStore, type StoreSettings } from '../../s3/index.ts'
import type { ByteStream, FileEntry, FileSystem, WriteMode } from '../file-system.ts'
import { remotely } from './remote-error.ts'
import { byteStreamOf } from './stream.ts'

const isPassing = (error: unknown): boolean => classifyS3(error).kind === 'retriable'
const NOT_SATISFIABLE = 416

const NEW = { IfNoneMatch: '*' } as const
/** The smallest that S3 takes: a part is in memory while it is uploaded. */
const PART_BYTES = 5 * 1024 * 1024
const WRITE = { encryption: null, kmsKeyId: null, customerKey: null, acl: null, partSize: PART_BYTES }

/** The objects of a bucket; what is between slashes of their names counts as folders. */
export class S3FileSystem implements FileSystem {
  readonly label: string
  readonly appends = false
  readonly #store: ObjectStore
  /** Marks of objects as this process read or wrote them last, so that nothing else is replaced. */
  readonly #marks = new Map<string, string>()

  private constructor(store: ObjectStore, bucket: string) {
    this.#store = store
    this.label = `s3://${bucket}/`
  }

  static async connect(settings: StoreSettings): Promise<S3FileSystem> {
    const { ObjectStore: Store } = await import('../../s3/object-store.ts')
    return new S3FileSystem(new Store({ write: WRITE, ...settings }), settings.bucket)
  }

  /** There are no folders that could be missing. */
  async list(folder: string, recursive: boolean, start = ''): Promise<FileEntry[]> {
    const key = keyOf(folder)
    const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
    const found = await this.#run(() => this.#store.listFolder(prefix + start, recursive))
    // Some tools make objects that stand for folders.
    return found
      .filter(({ key: each }) => !each.endsWith('/'))
      .map((each) => entryOf(each, each.key.slice(prefix.length)))
  }

  async stat(path: string): Promise<FileEntry | null> {
    const found = await this.#run(() => this.#store.stat(keyOf(path)))
    return found === null ? null : entryOf(found, path)
  }

  open(path: string, position: number): Promise<ByteStream> {
    return this.#run(async () => {
      const opened = await this.#store.open(keyOf(path), position).catch((error: unknown) => {
        const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
        if ($metadata?.httpStatusCode === NOT_SATISFIABLE) return 'at its end' as const
        throw error
      })
      if (opened === null) throw new ConnectError(`there is no ${path}`)
      if (opened === 'at its end') return { next: async () => null, close: async () => undefined }
      return byteStreamOf(opened.body, (operation) => this.#run(operation))
    })
  }

  read(path: string): Promise<Buffer | null> {
    return this.#run(async () => {
      const opened = await this.#store.open(keyOf(path), 0)
      if (opened === null) return null
      this.#marks.set(path, opened.etag)
      return Buffer.concat(await opened.body.toArray())
    })
  }

  async write(path: string, bytes: Uint8Array, mode: WriteMode): Promise<boolean> {
    if (mode === 'append') throw new ConnectError('objects of S3 cannot be appended to')
    const known = this.#marks.get(path)
    const condition = mode === 'new' ? NEW : known === undefined ? {} : { IfMatch: known }
    const mark = await this.#run(() => this.#store.put(keyOf(path), bytes, condition))
    if (mark !== null) this.#marks.set(path, mark)
    return mark !== null
  }

  async store(path: string, content: Content): Promise<void> {
    this.#marks.delete(path)
    await this.#run(() => this.#store.write({ key: keyOf(path), content, metadata: {}, onlyIfNew: false }))
  }

  /** A copy that has the new name as a whole, and then the end of the old one. */
  async move(from: string, to: string): Promise<void> {
    await this.#run(async () => {
      const found = await this.#store.stat(keyOf(from))
      if (found === null) throw new ConnectError(`there is no ${from}`)
      await this.#store.copy(keyOf(from), keyOf(to), found.size)
      await this.#store.remove(keyOf(from))
    })
  }

  async remove(path: string): Promise<void> {
    this.#marks.delete(path)
    await this.#run(() => this.#store.remove(keyOf(path)))
  }

  async makeFolder(): Promise<void> {}

  async removeEmptyFolder(): Promise<boolean> {
    return false
  }

  async close(): Promise<void> {
    this.#store.close()
  }

  #run<T>(operation: () => Promise<T>): Promise<T> {
    return remotely(this.label, isPassing, operation)
  }
}

/** Paths may begin with a slash, keys do not. */
function keyOf(path: string): string {
  return path.replace(/^\/+/, '')
}

/** Listings tell milliseconds, and answers about one object seconds. */
function entryOf({ size, modifiedMs }: ListedObject, path: string): FileEntry {
  return { path, length: size, modifiedMs: Math.floor(modifiedMs / 1000) * 1000 }
}
