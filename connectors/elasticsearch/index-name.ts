const LENGTH_MAX = 255
const STREAM_PART_MAX = 100

/** The index of a topic: as Elasticsearch's rules for names force it. */
export function indexOfTopic(topic: string): string {
  const lower = topic.toLowerCase().slice(0, LENGTH_MAX)
  const name = lower.startsWith('-') || lower.startsWith('_') ? lower.slice(1) : lower
  if (name === '.') return 'dot'
  return name === '..' ? 'dotdot' : name
}

/** The data stream of a topic: `type-dataset-namespace`. */
export function streamOfTopic(topic: string, type: string, dataset: string, namespace: string): string {
  const part = namespace.replaceAll('${topic}', topic).toLowerCase().slice(0, STREAM_PART_MAX)
  return `${type}-${dataset}-${part}`.toLowerCase()
}

/** What is forbidden in the type or data set of a data stream: the hyphen stands between the parts of the name. */
export function streamPartProblem(part: string): string | undefined {
  if (part.includes('-')) return `"${part}" has the character "-", which stands between the parts of the name`
  return namespaceProblem(part)
}

/** What is forbidden in the namespace of a data stream. */
export function namespaceProblem(part: string): string | undefined {
  if (part.length > STREAM_PART_MAX) return `has ${part.length} characters, at most ${STREAM_PART_MAX} are allowed`
  const wrong = /[\\/*?"<>| ,#:]/.exec(part)
  if (wrong) return `"${part}" has the character "${wrong[0]}", which names of data streams may not have`
  return part === part.toLowerCase()
    ? undefined
    : `"${part}" has capital letters, which names of data streams may not have`
}
