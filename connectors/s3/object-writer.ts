import type { PluginLogger } from '@millrace/sdk'
import type { Failure } from '../_shared/retry/index.ts'
import { classifyS3, type ObjectStore } from '../_shared/s3/index.ts'
import type { FileObject, FileTarget, OpenFile } from '../_shared/storage-sink/index.ts'

export interface ObjectWriterOptions {
  readonly store: ObjectStore
  readonly onlyIfNew: boolean
  readonly tags: { readonly more: Readonly<Record<string, string>>; readonly failing: boolean } | null
  readonly keyOf: (file: OpenFile, object: FileObject) => string
  readonly logger: PluginLogger
}

const END_OFFSET = 'millrace-end-offset'

/** Stores files as objects of a bucket, which tell their last offset. */
export class ObjectWriter implements FileTarget {
  readonly #o: ObjectWriterOptions

  constructor(options: ObjectWriterOptions) {
    this.#o = options
  }

  classify(error: unknown): Failure {
    return classifyS3(error)
  }

  async write(file: OpenFile, object: FileObject): Promise<number | null> {
    const { store, onlyIfNew, keyOf, logger } = this.#o
    const key = keyOf(file, object)
    const request = { key, content: object.buffer, metadata: { [END_OFFSET]: String(file.lastOffset) } }
    if ((await store.write({ ...request, onlyIfNew })) === 'taken') {
      const stored = (await store.metadata(key))?.[END_OFFSET]
      if (stored !== undefined) return Number(stored)
      logger.warn({ key }, 'an object that does not tell its last offset is there already; it is replaced')
      await store.write({ ...request, onlyIfNew: false })
    }
    await this.#tag(key, file)
    return null
  }

  async #tag(key: string, file: OpenFile): Promise<void> {
    const { store, tags, logger } = this.#o
    if (tags === null) return
    const { startOffset, lastOffset, count } = file
    const own = { startOffset: String(startOffset), endOffset: String(lastOffset), recordCount: String(count) }
    try {
      await store.tag(key, { ...own, ...tags.more })
    } catch (error) {
      if (tags.failing) throw error
      logger.warn({ key, err: error }, 'tags could not be set')
    }
  }
}
