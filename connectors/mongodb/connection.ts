import type { ConfigDef, ConfigIssue, RawConfig } from '@millrace/sdk'
import type { MongoClient, MongoClientOptions } from 'mongodb'

/** Keys of the original's connection part that cannot be had, and why. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [
    /^connection\.ssl\.(trust|key)store/,
    "Java's key stores cannot be read here; name PEM files in connection.uri: tls=true&tlsCAFile=...&tlsCertificateKeyFile=...",
  ],
  [/^mongo\.custom\.auth\./, 'authentication classes are written in Java; use what connection.uri can say'],
]

/** What is wrong with keys that the definition does not know. */
export function refusedKeys(raw: RawConfig): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  for (const [key, value] of Object.entries(raw)) {
    const reason = REFUSED.find(([pattern]) => pattern.test(key))?.[1]
    if (reason !== undefined && value !== '' && value !== 'false') issues.push({ key, message: reason })
  }
  return issues
}

/** Where the servers are. */
export const connectionConfig = {
  'connection.uri': {
    // It may hold a user and a password, so no part of it is shown.
    type: 'password',
    default: 'mongodb://localhost:27017,localhost:27018,localhost:27019',
    importance: 'high',
    doc: 'The connection string of the servers, with user, password and TLS files where they are needed.',
    validate: (uri: string) =>
      /^mongodb(\+srv)?:\/\/./.test(uri) ? undefined : 'is no connection string such as mongodb://localhost:27017',
    example: 'mongodb://localhost:27017',
    group: 'Connection',
    displayName: 'Connection string',
  },
  'server.api.version': {
    type: 'string',
    default: '',
    oneOf: ['', '1'],
    importance: 'low',
    doc: 'The version of the stable API that the server is asked for. Empty: none.',
    group: 'Connection',
    displayName: 'Stable API version',
  },
  'server.api.deprecation.errors': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'With server.api.version: whether deprecated commands are errors.',
    group: 'Connection',
    displayName: 'Errors for deprecated commands',
  },
  'server.api.strict': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'With server.api.version: whether commands outside of the stable API are errors.',
    group: 'Connection',
    displayName: 'Strict stable API',
  },
} as const satisfies ConfigDef

/** What a client is made of. */
export interface ConnectionSettings {
  readonly 'connection.uri': string
  readonly 'server.api.version': '' | '1'
  readonly 'server.api.deprecation.errors': boolean
  readonly 'server.api.strict': boolean
}

/** Scheme and hosts of a connection string, without user, password and options; in the order that the original keeps offsets under. */
export function hostsOf(uri: string): string {
  const [, scheme = '', hosts = ''] = /^(mongodb(?:\+srv)?:\/\/)(?:[^@/]*@)?([^/?]*)/.exec(uri) ?? []
  return scheme + hosts.split(',').sort().join(',')
}

/** A client that is connected. The driver is loaded here, when it is first needed. */
export async function openClient(settings: ConnectionSettings, options: MongoClientOptions = {}): Promise<MongoClient> {
  const { MongoClient } = await import('mongodb')
  const { 'server.api.version': version } = settings
  const client = new MongoClient(settings['connection.uri'], {
    appName: 'millrace',
    ...(version === ''
      ? {}
      : {
          serverApi: {
            version,
            strict: settings['server.api.strict'],
            deprecationErrors: settings['server.api.deprecation.errors'],
          },
        }),
    ...options,
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

const VALIDATION_MS = 5000

/** What keeps a connection from being made, as a list that is empty when nothing does. */
export async function connectionIssues(settings: ConnectionSettings): Promise<readonly ConfigIssue[]> {
  try {
    const client = await openClient(settings, { serverSelectionTimeoutMS: VALIDATION_MS })
    await client.close()
    return []
  } catch (error) {
    const message = `the server cannot be reached: ${(error as Error).message}`
    return [{ key: 'connection.uri', message }]
  }
}
