import type { ConfigDef } from '@millrace/sdk'

type All = Readonly<Record<string, unknown>>

const isSet = (value: unknown): boolean => value !== null && value !== undefined && value !== ''

function urlProblem(url: string): string | undefined {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return `"${url}" is no URL such as http://localhost:9200`
  if (parsed.username || parsed.password)
    return 'put user and password into connection.username and connection.password'
  return undefined
}

/** Where the servers are, and how to talk to them. */
export const connectionConfig = {
  'connection.url': {
    type: 'list',
    nonEmpty: true,
    importance: 'high',
    doc: 'The URLs of the servers, separated by commas. When one is https, all are spoken to with TLS.',
    validate: (urls: readonly string[]) => urls.map(urlProblem).find((problem) => problem !== undefined),
    example: 'http://localhost:9200',
    group: 'Connector',
    displayName: 'Connection URLs',
  },
  'connection.username': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The user. Needs connection.password.',
    validate: (user: string | null, all: All) =>
      isSet(user) === isSet(all['connection.password'])
        ? undefined
        : 'needs connection.password, and the other way round',
    group: 'Connector',
    displayName: 'User',
  },
  'connection.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'The password of the user.',
    group: 'Connector',
    displayName: 'Password',
  },
  'elastic.server': {
    type: 'string',
    default: 'auto',
    oneOf: ['auto', 'elasticsearch-9', 'elasticsearch-8', 'opensearch'],
    importance: 'low',
    doc:
      'What the servers are. auto asks them when the task starts. opensearch speaks plain JSON, which older versions of ' +
      'Elasticsearch understand too. An addition of Millrace.',
    group: 'Connector',
    displayName: 'Server',
  },
  'connection.compression': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether requests are compressed with gzip.',
    group: 'Connector',
    displayName: 'Compression',
  },
  'connection.timeout.ms': {
    type: 'int',
    default: 1000,
    min: 0,
    importance: 'low',
    doc: 'How long connecting may take, in milliseconds.',
    group: 'Connector',
    displayName: 'Connection time-out (ms)',
  },
  'read.timeout.ms': {
    type: 'int',
    default: 3000,
    min: 0,
    importance: 'low',
    doc: 'How long the server may take to answer a request, in milliseconds; then the request is tried again.',
    group: 'Connector',
    displayName: 'Read time-out (ms)',
  },
  'max.connection.idle.time.ms': {
    type: 'int',
    default: 60_000,
    min: 0,
    importance: 'low',
    doc: 'How long a connection is kept that is not used, in milliseconds.',
    group: 'Connector',
    displayName: 'Idle connections (ms)',
  },
  'proxy.host': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The HTTP proxy to go through; empty for none.',
    group: 'Proxy',
    displayName: 'Proxy host',
  },
  'proxy.port': {
    type: 'int',
    default: 8080,
    min: 1,
    max: 65_535,
    importance: 'low',
    doc: 'The port of the proxy.',
    group: 'Proxy',
    displayName: 'Proxy port',
  },
  'proxy.username': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The user at the proxy. Needs proxy.host and proxy.password.',
    validate: (user: string, all: All) => {
      if (isSet(user) !== isSet(all['proxy.password'])) return 'needs proxy.password, and the other way round'
      return isSet(user) && !isSet(all['proxy.host']) ? 'needs proxy.host' : undefined
    },
    group: 'Proxy',
    displayName: 'Proxy user',
  },
  'proxy.password': {
    type: 'password',
    default: '',
    importance: 'low',
    doc: 'The password at the proxy.',
    group: 'Proxy',
    displayName: 'Proxy password',
  },
} as const satisfies ConfigDef

function refusesJks(type: string): string | undefined {
  return type === 'JKS'
    ? "Java's key stores cannot be read here; convert it with keytool and openssl, and set the type to PEM"
    : undefined
}

/** TLS, by Kafka's names behind `elastic.https.`. */
export const tlsConfig = {
  'elastic.security.protocol': {
    type: 'string',
    default: 'PLAINTEXT',
    oneOf: ['PLAINTEXT', 'SSL'],
    importance: 'medium',
    doc: 'SSL makes the keys elastic.https.ssl.* count; URLs with https are spoken to with TLS in any case.',
    group: 'Security',
    displayName: 'Security protocol',
  },
  'elastic.https.ssl.truststore.location': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'A file with the certificates to trust, in PEM form; without it those of Node.js are trusted.',
    group: 'Security',
    displayName: 'Trust store',
  },
  'elastic.https.ssl.truststore.type': {
    type: 'string',
    default: 'PEM',
    oneOf: ['PEM', 'JKS', 'PKCS12'],
    importance: 'low',
    doc: 'The form of the trust store: PEM. JKS and PKCS12 are refused.',
    validate: (type: string) =>
      type === 'PKCS12' ? 'a trust store has to be in PEM form; convert it with openssl pkcs12' : refusesJks(type),
    group: 'Security',
    displayName: 'Trust store type',
  },
  'elastic.https.ssl.truststore.password': {
    type: 'password',
    default: null,
    importance: 'low',
    doc: 'Accepted and not needed: PEM certificates have no password.',
    group: 'Security',
    displayName: 'Trust store password',
  },
  'elastic.https.ssl.truststore.certificates': {
    type: 'password',
    default: null,
    importance: 'low',
    doc: 'The certificates to trust, as PEM text instead of a file.',
    group: 'Security',
    displayName: 'Trusted certificates',
  },
  'elastic.https.ssl.keystore.location': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'A file with the certificate and the key to show to the server, in PEM or PKCS12 form.',
    group: 'Security',
    displayName: 'Key store',
  },
  'elastic.https.ssl.keystore.type': {
    type: 'string',
    default: 'PEM',
    oneOf: ['PEM', 'PKCS12', 'JKS'],
    importance: 'low',
    doc: 'The form of the key store: PEM or PKCS12. JKS is refused.',
    validate: refusesJks,
    group: 'Security',
    displayName: 'Key store type',
  },
  'elastic.https.ssl.keystore.password': {
    type: 'password',
    default: null,
    importance: 'low',
    doc: 'The password of a PKCS12 key store.',
    group: 'Security',
    displayName: 'Key store password',
  },
  'elastic.https.ssl.key.password': {
    type: 'password',
    default: null,
    importance: 'low',
    doc: 'The password of the key in a PEM key store.',
    group: 'Security',
    displayName: 'Key password',
  },
  'elastic.https.ssl.endpoint.identification.algorithm': {
    type: 'string',
    default: 'https',
    oneOf: ['https', ''],
    importance: 'low',
    doc: 'https checks that the certificate is for the host of the URL; empty does not.',
    group: 'Security',
    displayName: 'Host name check',
  },
} as const satisfies ConfigDef

/** Keys that are refused, and why. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^kerberos\./, 'Kerberos is not supported; use connection.username and connection.password'],
  [
    /^elastic\.https\.ssl\./,
    'it is not supported; trust and keys are set with elastic.https.ssl.truststore.* and .keystore.* in PEM form',
  ],
]

/** What says why a key of the original cannot be had here; undefined for keys that can. */
export function refusal(key: string, value: string): string | undefined {
  if (key in tlsConfig || value === '') return undefined
  return REFUSED.find(([pattern]) => pattern.test(key))?.[1]
}
