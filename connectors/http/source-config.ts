import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { oauth2Options, proxyOptions } from './client-options.ts'
import { compileDatePattern } from './date-pattern.ts'
import { parsePointer, parsePointers } from './json-pointer.ts'
import { compileTemplate } from './template.ts'
import { tlsConfig } from './tls-config.ts'
import { parsePairs, parseRanges } from './words.ts'

type All = Readonly<Record<string, unknown>>

/** Turns what a parser throws into what a validation says. */
function problemOf<T extends unknown[]>(parse: (...values: T) => unknown): (...values: T) => string | undefined {
  return (...values) => {
    try {
      parse(...values)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }
}

const isTemplate = (text: string): string | undefined => problemOf(compileTemplate)(text)
const isPointer = (text: string): string | undefined => problemOf(parsePointer)(text)
const isPointers = (text: string): string | undefined => problemOf(parsePointers)(text)
const isRanges = (text: string): string | undefined => problemOf(parseRanges)(text)

const requestConfig = {
  'http.request.url': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The URL to ask. A template: ${offset.name} is what the last record left behind.',
    validate: (url: string) =>
      isTemplate(url) ?? (/^https?:\/\//.test(url) ? undefined : 'is no URL such as https://example.com/items'),
    example: 'https://example.com/items',
    group: 'Request',
    displayName: 'URL',
  },
  'http.request.method': {
    type: 'string',
    default: 'GET',
    importance: 'medium',
    doc: 'The method of the request.',
    validate: (method: string) => (/^[A-Z]+$/.test(method) ? undefined : 'is no method such as GET or POST'),
    group: 'Request',
    displayName: 'Method',
  },
  'http.request.headers': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Headers, as Name: value, Name: value. A template.',
    validate: (text: string) => isTemplate(text) ?? problemOf(parsePairs)(text, ',', ':'),
    example: 'Accept: application/json',
    group: 'Request',
    displayName: 'Headers',
  },
  'http.request.params': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The query, as name=value&name=value; values are encoded. A template.',
    validate: (text: string) => isTemplate(text),
    example: 'since=${offset.timestamp}',
    group: 'Request',
    displayName: 'Query parameters',
  },
  'http.request.body': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The body of the request. A template.',
    validate: (text: string) => isTemplate(text),
    group: 'Request',
    displayName: 'Body',
  },
  'http.offset.initial': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'What the templates are given before the first record, as name=value, name=value.',
    validate: (text: string) => problemOf(parsePairs)(text, ',', '='),
    example: 'timestamp=2024-01-01T00:00:00Z',
    group: 'Request',
    displayName: 'Initial offset',
  },
  'http.timer.interval.millis': {
    type: 'long',
    default: 60_000,
    min: 0,
    importance: 'high',
    doc: 'How long to wait after requests that found nothing new, in milliseconds.',
    aliases: ['http.throttler.interval.millis'],
    group: 'Request',
    displayName: 'Interval (ms)',
  },
  'http.timer.catchup.interval.millis': {
    type: 'long',
    default: 30_000,
    min: 0,
    importance: 'high',
    doc: 'How long to wait after requests that found something new, in milliseconds.',
    aliases: ['http.throttler.catchup.interval.millis'],
    group: 'Request',
    displayName: 'Catch-up interval (ms)',
  },
} as const satisfies ConfigDef

const paginationConfig = {
  'http.pagination.mode': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'link', 'cursor', 'page', 'offset'],
    importance: 'high',
    doc:
      'How the next page is asked for: link follows a URL of the answer (rel="next" of its Link header, or ' +
      'http.pagination.next.pointer); cursor hands a value of the answer back; page counts pages, offset counts records, ' +
      'both until a page is empty or short. An addition of Millrace, as all of http.pagination.',
    group: 'Pagination',
    displayName: 'Pagination',
  },
  'http.pagination.next.pointer': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Where in the answer the URL (link) or the cursor of the next page is. There is none after the last page.',
    validate: (text: string, all: All) =>
      isPointer(text) ??
      (text === '' && all['http.pagination.mode'] === 'cursor'
        ? 'is needed with http.pagination.mode=cursor'
        : undefined),
    example: '/meta/next',
    group: 'Pagination',
    displayName: 'Pointer to the next page',
  },
  'http.pagination.param': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc:
      'The query parameter of the cursor, the page or the record to begin with. Templates have them too: ' +
      '${page.cursor}, ${page.number}, ${page.offset}.',
    group: 'Pagination',
    displayName: 'Parameter of the page',
  },
  'http.pagination.page.start': {
    type: 'int',
    default: 1,
    min: 0,
    importance: 'low',
    doc: 'The number of the first page.',
    group: 'Pagination',
    displayName: 'First page',
  },
  'http.pagination.page.size': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How many records a full page has: a shorter one is the last. 0: the last page is the empty one.',
    group: 'Pagination',
    displayName: 'Records a page',
  },
  'http.pagination.max.pages': {
    type: 'int',
    default: 10_000,
    min: 1,
    importance: 'low',
    doc: 'More pages in a row fail the task: the server would never come to an end.',
    group: 'Pagination',
    displayName: 'Most pages',
  },
  'http.pagination.max.records': {
    type: 'int',
    default: 100_000,
    min: 1,
    importance: 'low',
    doc:
      'The most records that are held back until their order is known, as with pages that begin with the newest. More ' +
      'fail the task.',
    group: 'Pagination',
    displayName: 'Most records held back',
  },
} as const satisfies ConfigDef

const responseConfig = {
  'http.response.list.pointer': {
    type: 'string',
    default: '/',
    importance: 'high',
    doc: 'Where in the answer the list of records is; / is the whole answer. One object counts as a list of one.',
    validate: isPointer,
    example: '/items',
    group: 'Response',
    displayName: 'Pointer to the list',
  },
  'http.response.record.pointer': {
    type: 'string',
    default: '/',
    importance: 'high',
    doc: 'Where in an item of the list the value of the record is.',
    validate: isPointer,
    group: 'Response',
    displayName: 'Pointer to the value',
  },
  'http.response.record.offset.pointer': {
    type: 'string',
    default: '',
    importance: 'high',
    doc:
      'What of an item the offset is, as name=/pointer, name=/pointer. key is also the key of the record, timestamp its ' +
      'time; both find records that were read before.',
    validate: isPointers,
    example: 'key=/id, timestamp=/updated',
    group: 'Response',
    displayName: 'Pointers to the offset',
  },
  'http.response.offset.pointer': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc:
      'What of a whole answer goes into the offset once all records of the answer are delivered, as name=/pointer: the ' +
      'token for the next changes, for example. An addition of Millrace.',
    validate: isPointers,
    example: 'token=/sync/next',
    group: 'Response',
    displayName: 'Pointers to the offset of an answer',
  },
  'http.response.record.mapper': {
    type: 'string',
    default: 'SchemedKvSourceRecordMapper',
    importance: 'medium',
    doc:
      'What records look like: SchemedKvSourceRecordMapper wraps key and JSON text into structs, ' +
      'StringKvSourceRecordMapper has both as text, json (an addition of Millrace) has the value as data without schema.',
    validate: (name: string) => (mapperOf(name) === undefined ? `has to be one of ${MAPPERS.join(', ')}` : undefined),
    group: 'Response',
    displayName: 'Form of records',
  },
  'http.record.schema.key.property.name': {
    type: 'string',
    default: 'key',
    nonEmpty: true,
    importance: 'low',
    doc: 'The field of the key struct.',
    group: 'Response',
    displayName: 'Field of the key',
  },
  'http.record.schema.value.property.name': {
    type: 'string',
    default: 'value',
    nonEmpty: true,
    importance: 'low',
    doc: 'The field of the value struct.',
    group: 'Response',
    displayName: 'Field of the value',
  },
  'http.response.record.timestamp.parser': {
    type: 'string',
    default: 'EpochMillisOrDelegateTimestampParser',
    importance: 'low',
    doc:
      'How timestamps are read: EpochMillisTimestampParser, DateTimeFormatterTimestampParser (by the pattern), or ' +
      'EpochMillisOrDelegateTimestampParser for both.',
    validate: (name: string) =>
      TIMESTAMP_PARSERS.includes(simpleName(name))
        ? undefined
        : `is not supported; use one of ${TIMESTAMP_PARSERS.join(', ')}, or a transformation`,
    group: 'Response',
    displayName: 'Timestamp parser',
  },
  'http.response.record.timestamp.parser.pattern': {
    type: 'string',
    default: "yyyy-MM-dd'T'HH:mm:ss[.SSS]X",
    importance: 'low',
    doc: 'The form of timestamps that are no milliseconds, as in Java: yMdHmsSXxZ, [optional], text in quotes.',
    validate: (pattern: string) => problemOf(compileDatePattern)(pattern, 'UTC'),
    group: 'Response',
    displayName: 'Timestamp pattern',
  },
  'http.response.record.timestamp.parser.zone': {
    type: 'string',
    default: 'UTC',
    importance: 'low',
    doc: 'The zone of timestamps that name none.',
    validate: (zone: string) => problemOf(compileDatePattern)('yyyy', zone),
    group: 'Response',
    displayName: 'Time zone',
  },
  'http.response.list.order.direction': {
    type: 'string',
    default: 'IMPLICIT',
    oneOf: ['IMPLICIT', 'ASC', 'DESC'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'The order of the list: oldest first, newest first, or to be seen from the timestamps.',
    group: 'Response',
    displayName: 'Order',
  },
  'http.record.filter.factory': {
    type: 'string',
    default: 'OffsetRecordFilterFactory',
    importance: 'medium',
    doc:
      'What is left out: OffsetRecordFilterFactory leaves out what is older than the offset, or as old and up to the ' +
      'record of the offset; OffsetTimestampRecordFilterFactory all that is as old; PassthroughRecordFilterFactory nothing.',
    validate: (name: string) =>
      FILTERS.includes(simpleName(name)) ? undefined : `has to be one of ${FILTERS.join(', ')}`,
    group: 'Response',
    displayName: 'Filter',
  },
  'http.response.policy.codes.process': {
    type: 'string',
    default: '200..299',
    importance: 'low',
    doc: 'The statuses whose answers have records.',
    validate: isRanges,
    group: 'Response',
    displayName: 'Statuses to process',
  },
  'http.response.policy.codes.skip': {
    type: 'string',
    default: '300..399',
    importance: 'low',
    doc: 'The statuses that count as no records. Of the others 408, 425, 429 and 5xx are tried again, and all else fails.',
    validate: isRanges,
    group: 'Response',
    displayName: 'Statuses to skip',
  },
  'http.response.max.bytes': {
    type: 'int',
    default: 67_108_864,
    min: 1024,
    importance: 'low',
    doc: 'A longer answer fails the task. An addition of Millrace.',
    group: 'Response',
    displayName: 'Longest answer',
  },
  'kafka.topic': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The topic to write to.',
    example: 'items',
    group: 'Response',
    displayName: 'Topic',
  },
} as const satisfies ConfigDef

const needsOAuth2 = (value: string, all: All): string | undefined =>
  all['http.auth.type'] === 'OAuth2' && value === '' ? 'is needed with http.auth.type=OAuth2' : undefined

const clientConfig = {
  'http.auth.type': {
    type: 'string',
    default: 'None',
    oneOf: ['None', 'Basic', 'OAuth2'],
    ignoreCase: true,
    importance: 'high',
    doc: 'Who we are: nobody, a user with a password, or a client of OAuth2 (client credentials; an addition of Millrace).',
    group: 'Authentication',
    displayName: 'Authentication',
  },
  'http.auth.user': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The user.',
    group: 'Authentication',
    displayName: 'User',
  },
  'http.auth.password': {
    type: 'password',
    default: '',
    importance: 'high',
    doc: 'The password of the user.',
    group: 'Authentication',
    displayName: 'Password',
  },
  'http.auth.oauth2.token.url': {
    ...oauth2Options.tokenUrl,
    validate: needsOAuth2,
    example: 'https://example.com/oauth2/token',
  },
  'http.auth.oauth2.client.id': { ...oauth2Options.clientId, validate: needsOAuth2 },
  'http.auth.oauth2.client.secret': oauth2Options.clientSecret,
  'http.auth.oauth2.scope': oauth2Options.scope,
  'http.auth.oauth2.client.mode': {
    type: 'string',
    default: 'header',
    oneOf: ['header', 'form'],
    importance: 'low',
    doc: 'Whether id and secret go in the Authorization header or in the form.',
    group: 'Authentication',
    displayName: 'Where the secret goes',
  },
  'http.auth.oauth2.token.property': oauth2Options.tokenProperty,
  'http.client.connection.timeout.millis': {
    type: 'long',
    default: 2000,
    min: 0,
    importance: 'low',
    doc: 'How long connecting may take, in milliseconds.',
    group: 'Client',
    displayName: 'Connection time-out (ms)',
  },
  'http.client.read.timeout.millis': {
    type: 'long',
    default: 2000,
    min: 0,
    importance: 'low',
    doc: 'How long the server may be silent, in milliseconds; 0 for ever.',
    group: 'Client',
    displayName: 'Read time-out (ms)',
  },
  'http.client.connection.ttl.millis': {
    type: 'long',
    default: 300_000,
    min: 1,
    importance: 'low',
    doc: 'How long a connection is kept that is not used, in milliseconds.',
    group: 'Client',
    displayName: 'Idle connections (ms)',
  },
  'http.client.proxy.host': proxyOptions.host,
  'http.client.proxy.port': proxyOptions.port,
  'http.client.proxy.username': proxyOptions.user,
  'http.client.proxy.password': proxyOptions.password,
  'http.rate.limit.requests.per.second': {
    type: 'double',
    default: 0,
    min: 0,
    importance: 'medium',
    doc: 'The most requests a second, evenly spread; 0 for no limit. An addition of Millrace.',
    group: 'Client',
    displayName: 'Requests a second',
  },
  'http.retry.max': {
    type: 'int',
    default: 10,
    min: 0,
    importance: 'low',
    doc:
      'How often a request is tried again that failed for a passing reason; then the task fails and its restart policy ' +
      'takes over. An addition of Millrace.',
    group: 'Client',
    displayName: 'Retries',
  },
  'http.retry.backoff.ms': {
    type: 'int',
    default: 1000,
    min: 1,
    importance: 'low',
    doc: 'The wait before the first retry, which doubles with each; what the server asks for with Retry-After counts more.',
    group: 'Client',
    displayName: 'Back-off (ms)',
  },
} as const satisfies ConfigDef

const MAPPERS = ['SchemedKvSourceRecordMapper', 'StringKvSourceRecordMapper', 'json'] as const
const FILTERS: readonly string[] = [
  'OffsetRecordFilterFactory',
  'OffsetTimestampRecordFilterFactory',
  'PassthroughRecordFilterFactory',
]
const TIMESTAMP_PARSERS: readonly string[] = [
  'EpochMillisOrDelegateTimestampParser',
  'EpochMillisTimestampParser',
  'DateTimeFormatterTimestampParser',
]

/** The class without its package. */
export function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

export function mapperOf(name: string): (typeof MAPPERS)[number] | undefined {
  return MAPPERS.find((mapper) => mapper === simpleName(name))
}

/** The configuration of the HTTP source. */
export const config = defineConfig({
  ...requestConfig,
  ...paginationConfig,
  ...responseConfig,
  ...clientConfig,
  ...tlsConfig,
})

export type HttpSourceConfig = Parsed<typeof config>

/** Keys of the original that name its own classes: the one that is built in is accepted, another one is refused. */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  'http.timer': ['AdaptableIntervalTimer', 'FixedIntervalTimer'],
  'http.throttler': ['AdaptableIntervalThrottler', 'FixedIntervalThrottler'],
  'http.request.factory': ['TemplateHttpRequestFactory'],
  'http.request.template.factory': ['FreeMarkerTemplateFactory', 'BackwardsCompatibleFreeMarkerTemplateFactory'],
  'http.client': ['OkHttpClient'],
  'http.auth': ['ConfigurableHttpAuthenticator'],
  'http.response.parser': ['PolicyHttpResponseParser', 'KvHttpResponseParser'],
  'http.response.policy': ['StatusCodeHttpResponsePolicy'],
  'http.response.policy.parser': ['KvHttpResponseParser'],
  'http.response.record.parser': ['JacksonKvRecordHttpResponseParser'],
  'http.record.sorter': ['OrderDirectionSourceRecordSorter'],
}

const REFUSED: Readonly<Record<string, string>> = {
  'http.response.record.timestamp.parser.regex': 'is not supported; take the part you need with a transformation',
  'http.response.record.timestamp.parser.regex.delegate':
    'is not supported; take the part you need with a transformation',
  'http.response.record.key.pointer':
    'is not supported any more; write key=/pointer in http.response.record.offset.pointer',
  'http.response.record.timestamp.pointer':
    'is not supported any more; write timestamp=/pointer in http.response.record.offset.pointer',
}

/** What says why a key of the original cannot be had here; undefined for keys that can. */
export function refusal(key: string, value: string): string | undefined {
  if (value === '') return undefined
  const known = CLASSES[key]
  if (known && !known.includes(simpleName(value)))
    return `classes cannot be plugged in here; leave it out, or use ${known[0]}`
  return REFUSED[key]
}
