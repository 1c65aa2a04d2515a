import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ObjectCannedACL,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  type _Object as S3Object,
  type ServerSideEncryption,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type { Content } from '../buffers/index.ts'
import { withRetries } from '../retry/index.ts'
import { classifyS3, isMissing, isTaken } from './failure.ts'
import { inRoles, type Role } from './roles.ts'

/** Where the objects are and how they are asked for. */
export interface StoreSettings {
  readonly bucket: string
  readonly region: string
  readonly endpoint: string | null
  readonly pathStyle: boolean
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Roles to take on, one after the other; with none the keys or the usual places are used as they are. */
  readonly roles: readonly Role[]
  readonly accelerate: boolean
  readonly retries: number
  readonly backoffMs: number
  /** The longest wait; ten seconds where it is left out. */
  readonly maxBackoffMs?: number
  readonly write?: WriteSettings
}

/** What each object is written with. */
export interface WriteSettings {
  readonly encryption: string | null
  readonly kmsKeyId: string | null
  readonly customerKey: string | null
  readonly acl: string | null
  readonly partSize: number
}

export interface WriteRequest {
  readonly key: string
  readonly content: Content
  readonly metadata: Readonly<Record<string, string>>
  /** Whether an object that is there stays, and `taken` is the answer. */
  readonly onlyIfNew: boolean
}

/** What has to be true for a write: no object, the one with this mark, or anything. */
export type Condition = { readonly IfNoneMatch: '*' } | { readonly IfMatch: string } | Readonly<Record<never, never>>

/** An object that is being read. */
export interface OpenObject {
  readonly body: Readable
  readonly etag: string
}

export interface ListedObject {
  readonly key: string
  readonly size: number
  readonly etag: string
  readonly modifiedMs: number
}

const BACKOFF_MS_MAX = 10_000
const REQUEST_MS = 60_000
const CONNECT_MS = 10_000
const PARTS_MAX = 10_000
/** S3 copies no more than 5 GiB at once; a larger object is copied in parts. */
const COPY_LIMITS = { once: 5 * 1024 ** 3, part: 512 * 1024 ** 2 }

/** The keys, or what the roles give for them; nothing leaves it to the usual places. */
function credentialsOf({ region, accessKeyId, secretAccessKey, roles }: StoreSettings) {
  const keys = accessKeyId === '' ? {} : { credentials: { accessKeyId, secretAccessKey } }
  if (roles.length === 0) return keys
  // A client that asks for nothing: it knows the usual places.
  const { credentials } = new S3Client({ region, ...keys }).config
  return { credentials: inRoles(roles, region, credentials) }
}

/** One bucket. Every request is tried again as the settings say; the last error is thrown. */
export class ObjectStore {
  readonly #client: S3Client
  readonly #settings: StoreSettings

  constructor(settings: StoreSettings) {
    this.#settings = settings
    this.#client = new S3Client({
      region: settings.region,
      ...(settings.endpoint === null || settings.endpoint === '' ? {} : { endpoint: settings.endpoint }),
      forcePathStyle: settings.pathStyle,
      ...credentialsOf(settings),
      useAccelerateEndpoint: settings.accelerate,
      // Retries are ours, with one rule for all requests.
      maxAttempts: 1,
      requestHandler: { requestTimeout: REQUEST_MS, connectionTimeout: CONNECT_MS },
    })
  }

  close(): void {
    this.#client.destroy()
  }

  async checkBucket(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#settings.bucket }))
  }

  /** Writes an object whole: it is there with all its bytes, or not at all. */
  async write(request: WriteRequest): Promise<'written' | 'taken'> {
    const { partSize } = this.#write
    try {
      if (request.content.size <= partSize) await this.#put(request)
      else await this.#putParts(request)
      return 'written'
    } catch (error) {
      if (request.onlyIfNew && isTaken(error)) return 'taken'
      throw error
    }
  }

  /** Size, mark and time of an object; null where there is none. */
  async stat(key: string): Promise<ListedObject | null> {
    try {
      const head = await this.#retried(() => this.#client.send(new HeadObjectCommand(this.#at(key))))
      const modifiedMs = head.LastModified?.getTime() ?? 0
      return { key, size: head.ContentLength ?? 0, etag: head.ETag ?? '', modifiedMs }
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** An object from a byte on; null where there is none. Whoever reads the body meets its errors. */
  async open(key: string, start: number): Promise<OpenObject | null> {
    const range = start === 0 ? {} : { Range: `bytes=${start}-` }
    try {
      const answer = await this.#retried(() => this.#client.send(new GetObjectCommand({ ...this.#at(key), ...range })))
      return { body: answer.Body as Readable, etag: answer.ETag ?? '' }
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Writes a small object and gives its mark; null when the condition does not hold. */
  async put(key: string, bytes: Uint8Array, condition: Condition): Promise<string | null> {
    try {
      const command = new PutObjectCommand({ ...this.#at(key), Body: bytes, ContentLength: bytes.length, ...condition })
      return (await this.#retried(() => this.#client.send(command))).ETag ?? ''
    } catch (error) {
      // What was to be replaced may be gone.
      if (isTaken(error) || ('IfMatch' in condition && isMissing(error))) return null
      throw error
    }
  }

  /** No error when there is none. */
  async remove(key: string): Promise<void> {
    await this.#retried(() => this.#client.send(new DeleteObjectCommand(this.#at(key))))
  }

  /** Copies an object of this size within the bucket; the copy is there as a whole, or not at all. */
  async copy(from: string, to: string, size: number, limits = COPY_LIMITS): Promise<void> {
    const CopySource = `${this.#settings.bucket}/${from.split('/').map(encodeURIComponent).join('/')}`
    if (size > limits.once) return this.#copyParts(CopySource, to, size, limits.part)
    await this.#retried(() => this.#client.send(new CopyObjectCommand({ ...this.#at(to), CopySource })))
  }

  /** The metadata of an object; null where there is none. */
  async metadata(key: string): Promise<Readonly<Record<string, string>> | null> {
    try {
      const head = await this.#retried(() =>
        this.#client.send(new HeadObjectCommand({ ...this.#at(key), ...this.#sse })),
      )
      return head.Metadata ?? {}
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  async tag(key: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
    await this.#retried(() => this.#client.send(new PutObjectTaggingCommand({ ...this.#at(key), Tagging: { TagSet } })))
  }

  /** Bytes of an object from `start` up to `end`, or to its end. */
  async read(key: string, start: number, end: number | null): Promise<Uint8Array> {
    return this.#retried(async () => {
      const range = end === null ? `bytes=${start}-` : `bytes=${start}-${end - 1}`
      const answer = await this.#client.send(new GetObjectCommand({ ...this.#at(key), Range: range, ...this.#sse }))
      return answer.Body === undefined ? new Uint8Array() : answer.Body.transformToByteArray()
    })
  }

  /** One page of objects in the order of their keys. */
  async list(prefix: string, startAfter: string | null, max = 1000): Promise<readonly ListedObject[]> {
    const answer = await this.#retried(() =>
      this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#settings.bucket,
          Prefix: prefix,
          MaxKeys: max,
          ...(startAfter === null ? {} : { StartAfter: startAfter }),
        }),
      ),
    )
    return (answer.Contents ?? []).map(listed)
  }

  /** All objects below a folder, or only those right in it. */
  async listFolder(prefix: string, recursive: boolean): Promise<readonly ListedObject[]> {
    const found: ListedObject[] = []
    let next: string | undefined
    do {
      const page: { ContinuationToken?: string } = next === undefined ? {} : { ContinuationToken: next }
      const answer = await this.#retried(() =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#settings.bucket,
            Prefix: prefix,
            ...(recursive ? {} : { Delimiter: '/' }),
            ...page,
          }),
        ),
      )
      found.push(...(answer.Contents ?? []).map(listed))
      next = answer.IsTruncated === true ? answer.NextContinuationToken : undefined
    } while (next !== undefined)
    return found
  }

  async #copyParts(CopySource: string, key: string, size: number, part: number): Promise<void> {
    const client = this.#client
    const { UploadId } = await this.#retried(() => client.send(new CreateMultipartUploadCommand(this.#at(key))))
    const upload = { ...this.#at(key), UploadId: UploadId ?? '' }
    try {
      const Parts: CompletedPart[] = []
      const partSize = Math.max(part, Math.ceil(size / PARTS_MAX))
      for (let start = 0; start < size; start += partSize) {
        const PartNumber: number = Parts.length + 1
        const CopySourceRange = `bytes=${start}-${Math.min(size, start + partSize) - 1}`
        const copied = await this.#retried(() =>
          client.send(new UploadPartCopyCommand({ ...upload, CopySource, CopySourceRange, PartNumber })),
        )
        Parts.push({ PartNumber, ETag: copied.CopyPartResult?.ETag })
      }
      await this.#complete(upload, Parts, false)
    } catch (error) {
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
      throw error
    }
  }

  async #put({ key, content, metadata, onlyIfNew }: WriteRequest): Promise<void> {
    const Body = await content.read(0, content.size)
    await this.#retried(() =>
      this.#client.send(
        new PutObjectCommand({
          ...this.#at(key),
          ...this.#options,
          Body,
          ContentLength: content.size,
          Metadata: { ...metadata },
          ChecksumAlgorithm: 'CRC32',
          ...(onlyIfNew ? { IfNoneMatch: '*' } : {}),
        }),
      ),
    )
  }

  async #putParts({ key, content, metadata, onlyIfNew }: WriteRequest): Promise<void> {
    const client = this.#client
    const { UploadId } = await this.#retried(() =>
      client.send(
        new CreateMultipartUploadCommand({
          ...this.#at(key),
          ...this.#options,
          Metadata: { ...metadata },
          // Named here too, or some servers refuse the checksums of the parts.
          ChecksumAlgorithm: 'CRC32',
        }),
      ),
    )
    const upload = { ...this.#at(key), UploadId: UploadId ?? '' }
    try {
      const Parts: CompletedPart[] = []
      // S3 takes so many parts and no more.
      const partSize = Math.max(this.#write.partSize, Math.ceil(content.size / PARTS_MAX))
      for (let start = 0; start < content.size; start += partSize) {
        const PartNumber: number = Parts.length + 1
        const Body = await content.read(start, Math.min(content.size, start + partSize))
        const part = await this.#retried(() =>
          client.send(new UploadPartCommand({ ...upload, ...this.#sse, PartNumber, Body, ChecksumAlgorithm: 'CRC32' })),
        )
        Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 })
      }
      await this.#complete(upload, Parts, onlyIfNew)
    } catch (error) {
      // What cannot be taken back costs space until the bucket's rules remove it; the reason of the failure counts.
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
      throw error
    }
  }

  /** Not repeated: when the answer is lost the object may be there, and the whole write is done again. */
  async #complete(
    upload: { Bucket: string; Key: string; UploadId: string },
    Parts: CompletedPart[],
    onlyIfNew: boolean,
  ): Promise<void> {
    const condition = onlyIfNew ? { IfNoneMatch: '*' } : {}
    const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...condition })
    await this.#client.send(command)
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: key }
  }

  get #write(): WriteSettings {
    const { write } = this.#settings
    if (write === undefined) throw new TypeError('this store was opened for reading')
    return write
  }

  get #sse(): object {
    const key = this.#settings.write?.customerKey
    return key ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key } : {}
  }

  get #options(): object {
    const { encryption, kmsKeyId, acl, customerKey } = this.#write
    return {
      ...this.#sse,
      ...(encryption && !customerKey ? { ServerSideEncryption: encryption as ServerSideEncryption } : {}),
      ...(kmsKeyId ? { SSEKMSKeyId: kmsKeyId } : {}),
      ...(acl ? { ACL: acl as ObjectCannedACL } : {}),
    }
  }

  #retried<T>(operation: () => Promise<T>): Promise<T> {
    const { retries, backoffMs, maxBackoffMs = BACKOFF_MS_MAX } = this.#settings
    const backoff = { maxRetries: retries, backoffMs, maxBackoffMs: Math.max(backoffMs, maxBackoffMs) }
    return withRetries(operation, { backoff, classify: classifyS3 })
  }
}

function listed({ Key, Size, ETag, LastModified }: S3Object): ListedObject {
  return { key: Key ?? '', size: Size ?? 0, etag: ETag ?? '', modifiedMs: LastModified?.getTime() ?? 0 }
}
