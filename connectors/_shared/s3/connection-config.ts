import type { ConfigDef } from '@millrace/sdk'

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
    validate: (url: string) =>
      url === '' || URL.canParse(url) ? undefined : 'it is not a URL; write http://host:port or https://host',
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
