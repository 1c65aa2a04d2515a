/** What the name of a file that the sink wrote says. */
export interface OutputName {
  readonly topic: string
  readonly partition: number
  readonly first: number
  readonly last: number
}

const DIGITS = 20
const NAME = /^(.+)\+(\d+)\+(\d{20})\+(\d{20})\./

const padded = (offset: number): string => String(offset).padStart(DIGITS, '0')

/** The name of the file with the records from `first` to `last`: sorted by name, files are in the order of the topic. */
export function outputName({ topic, partition, first, last }: OutputName, extension: string): string {
  return `${outputPrefix(topic, partition)}${padded(first)}+${padded(last)}${extension}`
}

/** How the names of all files of a partition begin. */
export function outputPrefix(topic: string, partition: number): string {
  return `${topic}+${partition}+`
}

/** Undefined for files of others. */
export function parseOutputName(name: string): OutputName | undefined {
  const match = NAME.exec(name)
  if (match === null) return undefined
  const [, topic = '', partition, first, last] = match
  return { topic, partition: Number(partition), first: Number(first), last: Number(last) }
}

/** Beginnings of a file that is not complete; readers take files that begin with a dot for hidden. */
export function partPrefix(topic: string, partition: number): string {
  return `.${outputPrefix(topic, partition)}`
}
