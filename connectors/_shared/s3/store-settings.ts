import type { ConfigIssue, Parsed } from '@millrace/sdk'
import { assumesRole, type connectionConfig } from './connection-config.ts'
import { isMissing } from './failure.ts'
import type { ObjectStore, StoreSettings, WriteSettings } from './object-store.ts'
import { type Role, RoleError } from './roles.ts'

const STS = 's3.credentials.provider.sts'

type Connection = Parsed<typeof connectionConfig>

/** Where the configuration says that objects are. */
export function storeSettings(config: Connection, write?: WriteSettings): StoreSettings {
  return {
    bucket: config['s3.bucket.name'],
    region: config['s3.region'],
    endpoint: config['store.url'],
    pathStyle: config['s3.path.style.access.enabled'],
    accessKeyId: config['aws.access.key.id'],
    secretAccessKey: config['aws.secret.access.key'] ?? '',
    roles: rolesOf(config),
    accelerate: config['s3.wan.mode'],
    retries: config['s3.part.retries'],
    backoffMs: config['s3.retry.backoff.ms'],
    ...(write === undefined ? {} : { write }),
  }
}

/** How long sessions of roles are that nobody gives a length, as with the original. */
const SESSION_SECONDS = 900

function rolesOf(config: Connection): readonly Role[] {
  if (!assumesRole(config['s3.credentials.provider.class'])) return []
  const orNull = (text: string | null) => (text === '' ? null : text)
  const role = (which: 'role' | 'base', externalId: string | null): Role[] => {
    const key = which === 'base' ? (`${STS}.base.role.arn` as const) : (`${STS}.role.arn` as const)
    const arn = orNull(config[key])
    const sessionName = config[which === 'base' ? `${STS}.base.session.name` : `${STS}.role.session.name`]
    const endpoint = orNull(config[`${STS}.endpoint`])
    return arn === null ? [] : [{ key, arn, sessionName, externalId, durationSeconds: SESSION_SECONDS, endpoint }]
  }
  return [...role('base', null), ...role('role', orNull(config[`${STS}.role.external.id`]))]
}

/** The keys with which a connector names a bucket. */
export interface BucketKeys {
  readonly bucket: string
  readonly region: string
  readonly accessKey: string
  readonly url: string
}

export const bucketKeys: BucketKeys = {
  bucket: 's3.bucket.name',
  region: 's3.region',
  accessKey: 'aws.access.key.id',
  url: 'store.url',
}

/** What is wrong with the bucket, by asking for it. Closes the store. */
export async function bucketIssues(
  store: ObjectStore,
  { bucket, endpoint }: StoreSettings,
  keys: BucketKeys = bucketKeys,
): Promise<readonly ConfigIssue[]> {
  try {
    await store.checkBucket()
    return []
  } catch (error) {
    if (error instanceof RoleError) return [{ key: error.key, message: error.message }]
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
    const status = $metadata?.httpStatusCode
    if (isMissing(error)) return [{ key: keys.bucket, message: `the bucket ${bucket} does not exist; create it` }]
    if (status === 403) {
      const text = `access to the bucket ${bucket} is refused; check the keys and the permission s3:ListBucket`
      return [{ key: keys.accessKey, message: text }]
    }
    if (status === 301) return [{ key: keys.region, message: `the bucket ${bucket} is in another region` }]
    const key = endpoint ? keys.url : keys.bucket
    return [{ key, message: `the bucket ${bucket} cannot be asked for: ${name}: ${message}` }]
  } finally {
    store.close()
  }
}
