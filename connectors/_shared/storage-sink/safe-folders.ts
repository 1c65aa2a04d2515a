import { DataError } from '@millrace/sdk'
import type { Partitioner } from './partitioner.ts'

/** What no name of a folder may have: it would end a command of FTP, or separate folders on some servers. */
const isSpecial = (char: string): boolean => char < ' ' || char === '\u007f' || char === '\\'

/** Makes records without a place whose topic or fields would lead out of the folders of files. */
export function safeFolders(partitioner: Partitioner): Partitioner {
  let knownTopic: string | undefined
  let knownFolder: string | undefined
  return {
    ...partitioner,
    encode(record, timestampMs) {
      const folder = partitioner.encode(record, timestampMs)
      if (folder !== knownFolder || record.topic !== knownTopic) {
        if (record.topic.includes('/')) throw misfit(record.topic)
        const path = `${record.topic}/${folder}`
        const isOff = path.split('/').some((part) => ['', '.', '..'].includes(part))
        if (isOff || Array.from(path).some(isSpecial)) throw misfit(path)
        knownFolder = folder
        knownTopic = record.topic
      }
      return folder
    },
  }
}

function misfit(path: string): DataError {
  return new DataError(
    `${JSON.stringify(path)} is no name of a folder, which topic and fields of the record make of it`,
  )
}
