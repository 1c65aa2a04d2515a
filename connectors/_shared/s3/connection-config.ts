import type { ConfigDef } from '@millrace/sdk'

/** Sessions of roles are called so where nobody names them. */
export const SESSION_NAME = 'millrace'

const STS = 's3.credentials.provider.sts.'
const DEFAULT_PROVIDERS = [
  '',
  'com.amazonaws.auth.DefaultAWSCredentialsProviderChain',
  'software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider',
]
const ROLE_PROVIDER = 'AwsAssumeRoleCredentialsProvider'

/** Whether this provider of credentials is the one that assumes a role. */
export function assumesRole(provider: string | null): boolean {
  return provider === ROLE_PROVIDER || provider === `io.confluent.connect.s3.auth.${ROLE_PROVIDER}`
}

/** What is wrong with an address of a server; an empty one is none. */
export function urlProblem(url: string): string | undefined {
  return url === '' || URL.canParse(url) ? undefined : 'it is not a URL; write http://host:port or https://host'
}

/** The keys of source and sink that say where the objects are. */
export const connectionConfig = {
  's3.bucket.name': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The bucket. It has to exist.',
    group: 'Connection',
    displayName: 'Bucket',
  },
  's3.region': {
    type: 'string',
    default: 'us-west-2',
    nonEmpty: true,
    importance: 'medium',
    doc: 'The region of the bucket.',
    group: 'Connection',
    displayName: 'Region',
  },
  'store.url': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The address of a server other than Amazon S3 that speaks its protocol.',
    example: 'http://minio:9000',
    validate: urlProblem,
    group: 'Connection',
    displayName: 'Address of the server',
  },
  's3.path.style.access.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the bucket is in the path of the URL (true) or in its host name.',
    group: 'Connection',
    displayName: 'Path-style access',
  },
  'aws.access.key.id': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The access key. Without it the usual places are looked at: environment, profile, role of the machine.',
    validate: (id: string, all: Readonly<Record<string, unknown>>) =>
      id !== '' && (all['aws.secret.access.key'] ?? '') === ''
        ? 'aws.secret.access.key is missing; set both or none'
        : undefined,
    group: 'Connection',
    displayName: 'Access key',
  },
  'aws.secret.access.key': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: 'The secret of the access key.',
    group: 'Connection',
    displayName: 'Secret key',
  },
  's3.credentials.provider.class': {
    type: 'class',
    default: null,
    importance: 'low',
    doc:
      'How to get credentials: AwsAssumeRoleCredentialsProvider assumes a role, with the keys or with what is found at the ' +
      'usual places. Other providers are Java code.',
    validate: (name: string, all: Readonly<Record<string, unknown>>) => {
      if (DEFAULT_PROVIDERS.includes(name)) return undefined
      if (!assumesRole(name)) {
        return 'it is Java code; use aws.access.key.id and aws.secret.access.key, a role, or the usual places of credentials'
      }
      return (all[`${STS}role.arn`] ?? '') === '' ? `${STS}role.arn is missing; name the role` : undefined
    },
    group: 'Connection',
    displayName: 'Credentials provider',
  },
  's3.credentials.provider.sts.role.arn': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The role that AwsAssumeRoleCredentialsProvider assumes.',
    example: 'arn:aws:iam::123456789012:role/writer',
    group: 'Connection',
    displayName: 'Role',
  },
  's3.credentials.provider.sts.role.session.name': {
    type: 'string',
    default: SESSION_NAME,
    nonEmpty: true,
    importance: 'low',
    doc: 'The name of its session, as logs of AWS show it.',
    group: 'Connection',
    displayName: 'Session of the role',
  },
  's3.credentials.provider.sts.role.external.id': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The external id that the role asks for.',
    group: 'Connection',
    displayName: 'External id',
  },
  's3.credentials.provider.sts.base.role.arn': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'A role to assume first, which may assume the other one.',
    group: 'Connection',
    displayName: 'Base role',
  },
  's3.credentials.provider.sts.base.session.name': {
    type: 'string',
    default: SESSION_NAME,
    nonEmpty: true,
    importance: 'low',
    doc: 'The name of the session of the base role.',
    group: 'Connection',
    displayName: 'Session of the base role',
  },
  's3.credentials.provider.sts.endpoint': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The address of the Security Token Service, where it is not that of the region. An addition of Millrace.',
    example: 'https://sts.eu-north-1.amazonaws.com',
    validate: urlProblem,
    group: 'Connection',
    displayName: 'Address of STS',
  },
  's3.wan.mode': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: "Whether to use Amazon's accelerated endpoint.",
    group: 'Connection',
    displayName: 'Accelerated endpoint',
  },
  's3.part.retries': {
    type: 'int',
    default: 3,
    min: 0,
    importance: 'medium',
    doc: 'How often a request that failed for a passing reason is tried again at once, before the task waits for retry.backoff.ms.',
    group: 'Errors',
    displayName: 'Retries of a request',
  },
  's3.retry.backoff.ms': {
    type: 'long',
    default: 200,
    min: 0,
    importance: 'low',
    doc: 'How long to wait before the first retry of a request, in milliseconds; it doubles with each further one.',
    group: 'Errors',
    displayName: 'Back-off of a request (ms)',
  },
} as const satisfies ConfigDef
