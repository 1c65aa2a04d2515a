import { compileRegex, type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { oauth2Options, proxyOptions } from './client-options.ts'
import { tlsConfig } from './tls-config.ts'
import { parsePairs } from './words.ts'

type All = Readonly<Record<string, unknown>>

/** A key as it is written, or its default: other keys are only there once they are parsed. */
function textOf(all: All, key: string, otherwise: string): string {
  const value = all[key]
  return typeof value === 'string' ? value : otherwise
}

function urlProblem(url: string): string | undefined {
  const parsed = URL.parse(url.replaceAll(/\$\{(topic|key)\}/g, 'x'))
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return 'is no URL such as https://example.com/${topic}'
  const other = /\$\{(?!topic\}|key\})[^}]*\}?/.exec(url)
  return other === null ? undefined : `has ${other[0]}; understood are \${topic} and \${key}`
}

function pairsProblem(text: string, separator: string): string | undefined {
  try {
    parsePairs(text, separator, ':')
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function regexProblem(patterns: string, all: All): string | undefined {
  const separator = textOf(all, 'regex.separator', '~')
  const replacements = textOf(all, 'regex.replacements', '')
  const count = patterns === '' ? 0 : patterns.split(separator).length
  const others = replacements === '' && count <= 1 ? count : replacements.split(separator).length
  if (count !== others) return `has ${count} patterns for ${others} regex.replacements`
  try {
    for (const pattern of patterns.split(separator)) compileRegex(pattern)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const needsStatic = (value: string, all: All): string | undefined =>
  all['http.authorization.type'] === 'static' && value === ''
    ? 'is needed with http.authorization.type=static'
    : undefined
const usesOAuth2 = (all: All): boolean => all['http.authorization.type'] === 'oauth2' || all['auth.type'] === 'OAUTH2'
const needsOAuth2 = (value: string, all: All): string | undefined =>
  usesOAuth2(all) && value === '' ? 'is needed with OAuth2' : undefined

const requestConfig = {
  'http.url': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'Where records are sent. ${topic} and ${key} are those of the record.',
    aliases: ['http.api.url'],
    validate: urlProblem,
    example: 'https://example.com/${topic}',
    group: 'Request',
    displayName: 'URL',
  },
  'request.method': {
    type: 'string',
    default: 'POST',
    oneOf: ['POST', 'PUT', 'PATCH', 'DELETE'],
    ignoreCase: true,
    importance: 'high',
    doc: 'The method of the request.',
    group: 'Request',
    displayName: 'Method',
  },
  'http.headers.content.type': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The content type. Left out: application/json, or text/plain for request.body.format=string.',
    group: 'Request',
    displayName: 'Content type',
  },
  'http.headers.additional': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'More headers, as name:value,name:value.',
    validate: (list: readonly string[]) => pairsProblem(list.join('\n'), '\n'),
    group: 'Request',
    displayName: 'More headers',
  },
  headers: {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'More headers, as name:value separated by header.separator.',
    validate: (text: string, all: All) => pairsProblem(text, textOf(all, 'header.separator', '|')),
    group: 'Request',
    displayName: 'Headers',
  },
  'header.separator': {
    type: 'string',
    default: '|',
    nonEmpty: true,
    importance: 'low',
    doc: 'What is between two headers.',
    group: 'Request',
    displayName: 'Separator of headers',
  },
  'http.idempotency.header': {
    type: 'string',
    default: 'Idempotency-Key',
    importance: 'medium',
    doc:
      'The header by which the server can recognise a request that it has had before: topic-partition-offset of the ' +
      'record, for a batch of the first with a digest of all. Empty for none. An addition of Millrace.',
    group: 'Request',
    displayName: 'Idempotency header',
  },
  'request.body.format': {
    type: 'string',
    default: 'auto',
    oneOf: ['auto', 'json', 'string'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'How values are written: json; string, for values that are text or bytes; auto writes text as it is and all else as JSON.',
    group: 'Request',
    displayName: 'Body',
  },
  'decimal.format': {
    type: 'string',
    default: 'BASE64',
    oneOf: ['BASE64', 'NUMERIC'],
    ignoreCase: true,
    importance: 'low',
    doc: 'How decimals are written in JSON.',
    group: 'Request',
    displayName: 'Decimals',
  },
  'regex.patterns': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Patterns whose matches in the body of each record are replaced, separated by regex.separator.',
    validate: regexProblem,
    group: 'Request',
    displayName: 'Patterns',
  },
  'regex.replacements': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'What the matches are replaced with: one a pattern; ${topic} and ${key} are those of the record.',
    group: 'Request',
    displayName: 'Replacements',
  },
  'regex.separator': {
    type: 'string',
    default: '~',
    nonEmpty: true,
    importance: 'low',
    doc: 'What is between two patterns, and two replacements.',
    group: 'Request',
    displayName: 'Separator of patterns',
  },
  'behavior.on.null.values': {
    type: 'string',
    default: null,
    oneOf: ['ignore', 'log', 'delete', 'fail'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What a record without value does: nothing, nothing but a line in the log, DELETE of the URL with the key behind ' +
      'it, or it counts as a bad record. Left out: ignore with http.api.url, fail with http.url.',
    group: 'Request',
    displayName: 'Records without value',
  },
} as const satisfies ConfigDef

const batchConfig = {
  'batching.enabled': {
    type: 'boolean',
    default: null,
    importance: 'high',
    doc: 'Whether a request has several records. Left out: when batch.max.size is set beside http.api.url.',
    group: 'Batches',
    displayName: 'Batches',
  },
  'batch.max.size': {
    type: 'int',
    default: null,
    min: 1,
    max: 1_000_000,
    importance: 'medium',
    doc: 'The most records of a request with batches. Left out: 500.',
    group: 'Batches',
    displayName: 'Records a request',
  },
  'batch.prefix': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'What a request with batches begins with. Left out: nothing.',
    group: 'Batches',
    displayName: 'Prefix',
  },
  'batch.suffix': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'What it ends with. Left out: the end of a line with http.url, nothing with http.api.url.',
    group: 'Batches',
    displayName: 'Suffix',
  },
  'batch.separator': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'What is between two records. Left out: the end of a line with http.url, a comma with http.api.url.',
    group: 'Batches',
    displayName: 'Separator',
  },
  'batch.json.as.array': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether a request is a JSON array, also of one record; prefix, suffix and separator are not used then.',
    group: 'Batches',
    displayName: 'JSON array',
  },
  'batch.key.pattern': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Only records for which this is the same share a request: ${topic} and ${key} are those of the record.',
    group: 'Batches',
    displayName: 'Batches by',
  },
  'linger.ms': {
    type: 'long',
    default: 5,
    min: 0,
    importance: 'low',
    doc: 'How long the first record of a batch waits for more, in milliseconds.',
    group: 'Batches',
    displayName: 'Linger (ms)',
  },
  'max.in.flight.requests': {
    type: 'int',
    default: 1,
    min: 1,
    max: 100,
    importance: 'low',
    doc: 'Requests of a task on their way at a time. Records of one key are always sent in order; with 1 all are.',
    group: 'Batches',
    displayName: 'Requests at a time',
  },
} as const satisfies ConfigDef

const authConfig = {
  'http.authorization.type': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'static', 'oauth2'],
    ignoreCase: true,
    importance: 'high',
    doc: 'Who we are: nobody, a fixed Authorization header, or a client of OAuth2 (client credentials).',
    group: 'Authentication',
    displayName: 'Authorization',
  },
  'http.headers.authorization': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'The Authorization header of http.authorization.type=static.',
    validate: needsStatic,
    group: 'Authentication',
    displayName: 'Authorization header',
  },
  'auth.type': {
    type: 'string',
    default: 'NONE',
    oneOf: ['NONE', 'BASIC', 'OAUTH2'],
    ignoreCase: true,
    importance: 'high',
    doc: 'The same as http.authorization.type in the words of the Confluent connector, with user and password.',
    group: 'Authentication',
    displayName: 'Authentication',
  },
  'connection.user': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The user of auth.type=BASIC.',
    validate: (user: string, all: All) =>
      all['auth.type'] === 'BASIC' && user === '' ? 'is needed with auth.type=BASIC' : undefined,
    group: 'Authentication',
    displayName: 'User',
  },
  'connection.password': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'The password of the user.',
    group: 'Authentication',
    displayName: 'Password',
  },
  'oauth2.access.token.url': { ...oauth2Options.tokenUrl, aliases: ['oauth2.token.url'], validate: needsOAuth2 },
  'oauth2.client.id': { ...oauth2Options.clientId, validate: needsOAuth2 },
  'oauth2.client.secret': { ...oauth2Options.clientSecret, validate: needsOAuth2 },
  'oauth2.client.scope': oauth2Options.scope,
  'oauth2.client.authorization.mode': {
    type: 'string',
    default: 'HEADER',
    oneOf: ['HEADER', 'URL'],
    ignoreCase: true,
    importance: 'low',
    doc: 'Whether id and secret go in the Authorization header or, with URL, in the form.',
    aliases: ['oauth2.client.auth.mode'],
    group: 'Authentication',
    displayName: 'Where the secret goes',
  },
  'oauth2.grant_type': {
    type: 'string',
    default: 'client_credentials',
    importance: 'low',
    doc: 'The grant type.',
    group: 'Authentication',
    displayName: 'Grant type',
  },
  'oauth2.grant_type.key': {
    type: 'string',
    default: 'grant_type',
    importance: 'low',
    doc: 'What the form calls the grant type.',
    group: 'Authentication',
    displayName: 'Name of the grant type',
  },
  'oauth2.client.id.key': {
    type: 'string',
    default: 'client_id',
    importance: 'low',
    doc: 'What the form calls the client.',
    group: 'Authentication',
    displayName: 'Name of the client id',
  },
  'oauth2.client.secret.key': {
    type: 'string',
    default: 'client_secret',
    importance: 'low',
    doc: 'What the form calls the secret.',
    group: 'Authentication',
    displayName: 'Name of the secret',
  },
  'oauth2.response.token.property': { ...oauth2Options.tokenProperty, aliases: ['oauth2.token.property'] },
} as const satisfies ConfigDef

const failureConfig = {
  'max.retries': {
    type: 'int',
    default: null,
    min: 0,
    importance: 'medium',
    doc: 'How often a request is tried again. Left out: 1 with http.url, 10 with http.api.url. Then the task fails.',
    group: 'Failures',
    displayName: 'Retries',
  },
  'retry.backoff.ms': {
    type: 'int',
    default: 3000,
    min: 1,
    importance: 'medium',
    doc: 'The wait before the first retry, which doubles with each; what the server asks for with Retry-After counts more.',
    group: 'Failures',
    displayName: 'Back-off (ms)',
  },
  'kafka.retry.backoff.ms': {
    type: 'long',
    default: null,
    min: 0,
    importance: 'medium',
    doc: 'When set, retries never end, and this is the longest wait between them, in milliseconds.',
    group: 'Failures',
    displayName: 'Longest back-off (ms)',
  },
  'retry.on.status.codes': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The statuses to try again at, such as 429,500-. Left out: 408, 425, 429 and 5xx but 501 and 505.',
    validate: (text: string) =>
      /^(\d{3}(-(\d{3})?)?(\s*,\s*(?=\d)|$))*$/.test(text) ? undefined : 'is no list such as 408,429,500-599 or 400-',
    group: 'Failures',
    displayName: 'Statuses to try again',
  },
  'behavior.on.error': {
    type: 'string',
    default: 'fail',
    oneOf: ['fail', 'log', 'ignore'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'What becomes of records that the server refuses: the dead letter queue, or without one the end of the task (fail); ' +
      'or they are left out, with or without a line in the log.',
    group: 'Failures',
    displayName: 'Refused records',
  },
  'reporter.result.topic.name': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'A topic for the answers: one record for each that was delivered. ${connector} is the name of the connector.',
    group: 'Answers',
    displayName: 'Topic of answers',
  },
  'reporter.error.topic.name': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'A topic for what the server says of the records that it refuses. ${connector} is the name of the connector.',
    group: 'Answers',
    displayName: 'Topic of errors',
  },
  'reporter.bootstrap.servers': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'Accepted, and without effect: answers go to the log that the worker runs on.',
    group: 'Answers',
    displayName: 'Servers of the topics',
  },
  'http.timeout': {
    type: 'int',
    default: 30,
    min: 1,
    importance: 'low',
    doc: 'How long the server may take to answer, in seconds.',
    group: 'Client',
    displayName: 'Time-out (s)',
  },
  'http.request.timeout.ms': {
    type: 'int',
    default: null,
    min: 1,
    importance: 'low',
    doc: 'The same in milliseconds; counts more than http.timeout.',
    group: 'Client',
    displayName: 'Time-out (ms)',
  },
  'http.connect.timeout.ms': {
    type: 'int',
    default: 30_000,
    min: 1,
    importance: 'low',
    doc: 'How long connecting may take, in milliseconds.',
    group: 'Client',
    displayName: 'Connection time-out (ms)',
  },
  'http.rate.limit.requests.per.second': {
    type: 'double',
    default: 0,
    min: 0,
    importance: 'medium',
    doc: 'The most requests of a task a second, evenly spread; 0 for no limit. An addition of Millrace.',
    group: 'Client',
    displayName: 'Requests a second',
  },
  'http.proxy.host': proxyOptions.host,
  'http.proxy.port': proxyOptions.port,
  'http.proxy.user': proxyOptions.user,
  'http.proxy.password': proxyOptions.password,
} as const satisfies ConfigDef

/** The configuration of the HTTP sink. */
export const config = defineConfig({
  ...requestConfig,
  ...batchConfig,
  ...authConfig,
  ...failureConfig,
  ...tlsConfig,
})

export type HttpSinkConfig = Parsed<typeof config>

/** What says why a key of the originals cannot be had here; undefined for keys that can. */
export function refusal(key: string, value: string): string | undefined {
  if (value === '') return undefined
  if (key === 'oauth2.client.headers') return 'is not supported; client id and secret go in the header or the form'
  if (key === 'auth.certificate.alias' || key.startsWith('confluent.')) return undefined
  return key.startsWith('reporter.admin.') || key.startsWith('reporter.producer.')
    ? 'is not supported: answers go to the log that the worker runs on, with producer.override.*'
    : undefined
}
