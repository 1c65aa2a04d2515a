import { readdirSync, readFileSync } from 'node:fs'
import { type ConfigDef, parseConfig } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { aivenSinkManifest, sinkManifest, sourceManifest } from '../../../../connectors/s3/manifest.ts'

const folder = new URL('../../../../connectors/s3/examples/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.json'))
const manifests = [sinkManifest, sourceManifest, aivenSinkManifest]

test.each(examples)('%s is a legal config of one of the connectors', async (name) => {
  const { config } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  const className = config['connector.class'] as string
  const manifest = manifests.find((each) => [each.name, ...each.aliases].includes(className))
  const { default: definition } = (await manifest!.load()) as { default: { config: ConfigDef } }
  expect(parseConfig(definition.config, config).issues).toEqual([])
})

test.each(manifests)('the definition of $name is that of its manifest', async (manifest) => {
  const { kind, name, aliases, version } = manifest
  expect(await manifest.load()).toMatchObject({ default: { kind, name, aliases, version } })
})

describe('providers of credentials', async () => {
  const { default: definition } = (await sinkManifest.load()) as { default: { config: ConfigDef } }
  const provider = 's3.credentials.provider'
  const issuesOf = (raw: Record<string, string>) => {
    const rest = { 's3.bucket.name': 'b', 'format.class': 'JsonFormat', 'flush.size': '1' }
    return parseConfig(definition.config, { ...rest, ...raw }).issues.map(({ message }) => message)
  }

  test.each([
    'com.amazonaws.auth.DefaultAWSCredentialsProviderChain',
    'software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider',
  ])('%s is what is done anyway', (name) => {
    expect(issuesOf({ [`${provider}.class`]: name })).toEqual([])
  })

  test('the one that assumes a role needs the role', () => {
    const name = 'io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider'
    expect(issuesOf({ [`${provider}.class`]: name }).join()).toMatch(/sts.role.arn is missing; name the role/)
    const role = { [`${provider}.sts.role.arn`]: 'arn:aws:iam::123456789012:role/writer' }
    expect(issuesOf({ [`${provider}.class`]: name, ...role })).toEqual([])
  })

  test('others are refused by name', () => {
    const issues = issuesOf({ [`${provider}.class`]: 'com.acme.Vault' })
    expect(issues.join()).toMatch(/com.acme.Vault .*s3.credentials.provider.class: it is Java code/)
  })
})
