import type { Command } from 'commander'
import { realDisk } from '../../base/real/index.ts'
import { type BatchHeader, isBatchCrcValid, iterateBatches, RecordCursor } from '../../record/index.ts'
import { print } from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options {
  readonly files: string
  readonly printDataLog?: boolean
  readonly deepIteration?: boolean
}

export function define(command: Command): void {
  command
    .requiredOption('--files <file,...>', 'segment files (.log) to show')
    .option('--deep-iteration', 'show the records of each batch')
    .option('--print-data-log', 'show keys and values too')
    .action((options: Options) => {
      for (const file of options.files.split(',')) dump(file.trim(), options)
    })
}

function dump(file: string, options: Options): void {
  if (!file.endsWith('.log')) throw new UsageError(`${file} is not a segment: its name must end in .log`)
  if (!realDisk.exists(file)) throw new UsageError(`there is no file ${file}`)
  print(`Dumping ${file}`)
  print(`Log starting offset: ${Number(/(\d+)\.log$/.exec(file)?.[1] ?? 0)}`)
  const bytes = realDisk.readFile(file)
  let end = 0
  for (const header of iterateBatches(bytes)) {
    const valid = isBatchCrcValid(bytes, header.position, header.sizeInBytes)
    print(batchLine(header, valid))
    if (valid && (options.deepIteration === true || options.printDataLog === true)) printRecords(bytes, header, options)
    end = header.position + header.sizeInBytes
  }
  if (end < bytes.length) print(`Found ${bytes.length - end} invalid bytes at the end of ${file}`)
}

function batchLine(header: BatchHeader, valid: boolean): string {
  return [
    `baseOffset: ${header.baseOffset} lastOffset: ${header.lastOffset} count: ${header.recordCount}`,
    `baseSequence: ${header.baseSequence} lastSequence: ${header.baseSequence < 0 ? -1 : header.baseSequence + header.lastOffsetDelta}`,
    `producerId: ${header.producerId} producerEpoch: ${header.producerEpoch}`,
    `partitionLeaderEpoch: ${header.partitionLeaderEpoch} isTransactional: ${header.isTransactional} isControl: ${header.isControl}`,
    `position: ${header.position} ${header.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'}: ${header.maxTimestamp}`,
    `size: ${header.sizeInBytes} magic: ${header.magic} compresscodec: ${header.codec ?? 'unknown'} crc: ${header.crc} isvalid: ${valid}`,
  ].join(' ')
}

function printRecords(bytes: Buffer, header: BatchHeader, options: Options): void {
  const cursor = new RecordCursor()
  cursor.open(bytes, header.position)
  for (let i = 0; cursor.next(); i++) {
    const key = cursor.key()
    const value = cursor.value()
    const headers = cursor.headers().map((recordHeader) => recordHeader.key)
    const fields = [
      `| offset: ${cursor.offset} CreateTime: ${cursor.timestamp}`,
      `keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`,
      `sequence: ${header.baseSequence < 0 ? -1 : header.baseSequence + i} headerKeys: [${headers.join(',')}]`,
    ]
    if (options.printDataLog === true) {
      if (key !== null) fields.push(`key: ${key.toString()}`)
      fields.push(`payload: ${value?.toString() ?? ''}`)
    }
    print(fields.join(' '))
  }
}
