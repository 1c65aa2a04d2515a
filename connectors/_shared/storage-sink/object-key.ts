import type { StorageConfig } from './config.ts'
import type { FileObject, OpenFile } from './open-file.ts'

/** How objects are called. */
export interface Naming {
  readonly folder: string
  readonly directoryDelimiter: string
  readonly fileDelimiter: string
  readonly offsetDigits: number
}

/** What the configuration says of names. */
export function namingOf(config: StorageConfig): Naming {
  return {
    folder: config['topics.dir'],
    directoryDelimiter: config['directory.delim'],
    fileDelimiter: config['file.delim'],
    offsetDigits: config['filename.offset.zero.pad.width'],
  }
}

/**
 * The name of an object: folder, topic and partition folder, then where its first record is in the log. The last part has
 * the original topic, so that topics which a transformation makes one do not overwrite each other.
 */
export function objectKey(naming: Naming, file: OpenFile, object: FileObject): string {
  const { folder, directoryDelimiter, fileDelimiter, offsetDigits } = naming
  const { topic, partition } = file.origin
  const offset = String(file.startOffset).padStart(offsetDigits, '0')
  const name = `${[topic, partition, offset].join(fileDelimiter)}${object.suffix}`
  return [...(folder === '' ? [] : [folder]), file.topic, file.folder, name].join(directoryDelimiter)
}
