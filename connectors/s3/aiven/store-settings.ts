import type { StoreSettings } from '../../_shared/s3/index.ts'
import type { AivenSinkConfig } from './config.ts'

/** Where the configuration says that objects are, and how they are written. */
export function aivenStoreSettings(config: AivenSinkConfig): StoreSettings {
  return {
    bucket: config['aws.s3.bucket.name'],
    region: config['aws.s3.region'],
    endpoint: config['aws.s3.endpoint'],
    pathStyle: (config['aws.s3.endpoint'] ?? '') !== '',
    accessKeyId: config['aws.access.key.id'],
    secretAccessKey: config['aws.secret.access.key'],
    roles: rolesOf(config),
    accelerate: false,
    retries: config['aws.s3.backoff.max.retries'],
    backoffMs: config['aws.s3.backoff.delay.ms'],
    maxBackoffMs: config['aws.s3.backoff.max.delay.ms'],
    write: {
      encryption: config['aws.s3.sse.algorithm'],
      kmsKeyId: null,
      customerKey: null,
      acl: null,
      partSize: config['aws.s3.part.size.bytes'],
    },
  }
}

function rolesOf(config: AivenSinkConfig): StoreSettings['roles'] {
  const orNull = (text: string | null) => (text === '' ? null : text)
  const key = 'aws.sts.role.arn'
  const arn = orNull(config[key])
  if (arn === null) return []
  const role = {
    key,
    arn,
    sessionName: config['aws.sts.role.session.name'],
    externalId: orNull(config['aws.sts.role.external.id']),
    durationSeconds: config['aws.sts.role.session.duration'],
    endpoint: orNull(config['aws.sts.config.endpoint']),
  }
  return [role]
}
