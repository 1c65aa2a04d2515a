/** Suffixes of the files of a partition directory, as Kafka names them. */
export const SUFFIX = {
  log: '.log',
  offsetIndex: '.index',
  timeIndex: '.timeindex',
  txnIndex: '.txnindex',
  snapshot: '.snapshot',
  deleted: '.deleted',
  cleaned: '.cleaned',
  swap: '.swap',
} as const

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'
export const PARTITION_METADATA_FILE = 'partition.metadata'

/** `00000000000000000042.log` for 42. */
export function offsetFileName(offset: number, suffix: string): string {
  return `${String(offset).padStart(20, '0')}${suffix}`
}

const OFFSET_NAME = /^(\d{20})(\.[a-z]+)$/

/** The offset in a file name of the given suffix, or undefined for any other name. */
export function offsetOfFileName(name: string, suffix: string): number | undefined {
  const match = OFFSET_NAME.exec(name)
  return match && match[2] === suffix ? Number(match[1]) : undefined
}

const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/

/** Whether a topic may have this name: it is part of a directory name. */
export function isValidTopicName(topic: string): boolean {
  return TOPIC_NAME.test(topic) && topic !== '.' && topic !== '..'
}

/** Splits `topic-3` into its parts; undefined when it is no directory of a partition. */
export function parsePartitionDirectory(name: string): { topic: string; partition: number } | undefined {
  const match = /^(.+)-(\d{1,10})$/.exec(name)
  if (!match || !isValidTopicName(match[1]!)) return undefined
  return { topic: match[1]!, partition: Number(match[2]) }
}
