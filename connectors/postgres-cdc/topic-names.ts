const TOPIC_LENGTH_MAX = 249

/** A name that Kafka accepts: other characters than letters, digits, dot, underscore and minus become underscores. */
export function sanitizeTopic(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, TOPIC_LENGTH_MAX)
  return clean === '.' || clean === '..' ? clean.replaceAll('.', '_') : clean
}

export interface TopicNames {
  data(schema: string, table: string): string
  readonly message: string
  readonly heartbeat: string
}

/** The names of Debezium's SchemaTopicNamingStrategy. */
export function topicNames(options: {
  readonly prefix: string
  readonly delimiter: string
  readonly heartbeatPrefix: string
}): TopicNames {
  const { prefix, delimiter, heartbeatPrefix } = options
  return {
    data: (schema, table) => sanitizeTopic([prefix, schema, table].join(delimiter)),
    message: sanitizeTopic(`${prefix}.message`),
    heartbeat: sanitizeTopic(`${heartbeatPrefix}${delimiter}${prefix}`),
  }
}
