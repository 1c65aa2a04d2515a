import type { S3Client } from '@aws-sdk/client-s3'

/** A role of AWS for the time of a session. */
export interface Role {
  /** The key of the configuration that names it. */
  readonly key: string
  readonly arn: string
  readonly sessionName: string
  readonly externalId: string | null
  readonly durationSeconds: number
  /** The address of the Security Token Service; null for that of the region. */
  readonly endpoint: string | null
}

type Credentials = S3Client['config']['credentials']

const REQUEST_MS = 30_000
const CONNECT_MS = 10_000

/** The Security Token Service gave no session; what it said is told, with its status. */
export class RoleError extends Error {
  override name: string
  readonly key: string
  readonly $metadata: { readonly httpStatusCode?: number }
  readonly code: string | undefined

  constructor({ arn, key }: Role, cause: unknown) {
    const { name, message, $metadata, code } = cause as Error & Pick<RoleError, '$metadata' | 'code'>
    super(`the role ${arn} cannot be assumed: ${name}: ${message}`, { cause })
    this.name = name
    this.key = key
    this.$metadata = $metadata ?? {}
    this.code = code
  }
}

/**
 * Credentials in the last of these roles, each assumed with those of the one before it. The clients that use them ask
 * again before they expire.
 */
export function inRoles(roles: readonly Role[], region: string, first: Credentials): Credentials {
  return roles.reduce((credentials, role) => assumed(role, region, credentials), first)
}

function assumed(role: Role, region: string, credentials: Credentials): Credentials {
  return async () => {
    // Loaded by those who assume roles alone.
    const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts')
    const client = new STSClient({
      region,
      credentials,
      ...(role.endpoint === null ? {} : { endpoint: role.endpoint }),
      requestHandler: { requestTimeout: REQUEST_MS, connectionTimeout: CONNECT_MS },
    })
    try {
      const { Credentials: given } = await client.send(
        new AssumeRoleCommand({
          RoleArn: role.arn,
          RoleSessionName: role.sessionName,
          DurationSeconds: role.durationSeconds,
          ...(role.externalId === null ? {} : { ExternalId: role.externalId }),
        }),
      )
      const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken, Expiration } = given ?? {}
      if (accessKeyId === undefined || secretAccessKey === undefined || Expiration === undefined) {
        throw new Error('the answer has no credentials')
      }
      const token = SessionToken === undefined ? {} : { sessionToken: SessionToken }
      return { accessKeyId, secretAccessKey, ...token, expiration: Expiration }
    } catch (error) {
      throw error instanceof RoleError ? error : new RoleError(role, error)
    } finally {
      client.destroy()
    }
  }
}
