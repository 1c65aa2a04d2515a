import { spawn } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Api, apis, records } from '../../../src/protocol/index.ts'
import { kafkaJars, kafkaMissing } from '../../services/kafka.ts'
import { messageArbitrary } from '../../unit/protocol/message-arbitrary.ts'

interface Sample {
  readonly name: string
  readonly version: number
  readonly hex: string
}

const SAMPLES_EACH = 4
const PACKAGES: readonly [RegExp, string][] = [
  [/^Transaction/, 'org.apache.kafka.coordinator.transaction.generated'],
  [/^ConsumerProtocol/, 'org.apache.kafka.common.message'],
  [/./, 'org.apache.kafka.coordinator.group.generated'],
]

function samplesOf(name: string, version: number, encode: (message: any) => Buffer): Sample[] {
  const messages = fc.sample(messageArbitrary(name, version), { numRuns: SAMPLES_EACH, seed: version + 1 })
  return messages.map((message) => ({ name, version, hex: encode(message).toString('hex') }))
}

function apiSamples(): Sample[] {
  return Object.values(apis).flatMap((one) => {
    const api = one as Api<any, any>
    const [min, max] = api.validVersions
    const versions = Array.from({ length: max - min + 1 }, (_, i) => i + min)
    return versions.flatMap((version) => [
      ...samplesOf(`${api.name}Request`, version, (message) => api.encodeRequest(version, message)),
      ...samplesOf(`${api.name}Response`, version, (message) => api.encodeResponse(version, message)),
    ])
  })
}

function recordSamples(): Sample[] {
  return Object.values(records).flatMap((codec) => {
    const [min, max] = codec.validVersions
    const versions = Array.from({ length: max - min + 1 }, (_, i) => i + min)
    return versions.flatMap((version) =>
      samplesOf(codec.name, version, (message) => codec.encode(message, version).subarray(2)),
    )
  })
}

/** What Kafka's classes make of the samples, in order. */
async function throughJava(samples: readonly Sample[], className: (name: string) => string): Promise<string[]> {
  const lib = await kafkaJars('4.3.1')
  const program = join(import.meta.dirname, 'RoundTrip.java')
  const java = spawn('java', ['-Xmx512M', '-cp', join(lib, '*'), program], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  java.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  java.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
  const lines = samples.map(({ name, version, hex }) => `${className(name)} ${version} ${hex}\n`)
  java.stdin.end(lines.join(''))
  const code = await new Promise((resolve) => java.on('close', resolve))
  if (code !== 0) throw new Error(stderr)
  return stdout.trimEnd().split('\n')
}

async function expectSame(samples: readonly Sample[], className: (name: string) => string): Promise<void> {
  const results = await throughJava(samples, className)
  const different = samples.flatMap(({ name, version, hex }, i) =>
    results[i] === hex ? [] : [`${name} v${version}: ${hex} became ${results[i]}`],
  )
  expect(different).toEqual([])
  expect(results).toHaveLength(samples.length)
}

const missing = kafkaMissing('4.3.1') !== null

test.skipIf(missing)('Kafka’s own classes read every message of every version and write the same bytes', async () => {
  const samples = apiSamples()
  expect(samples.length).toBeGreaterThan(1000)
  await expectSame(samples, (name) => `org.apache.kafka.common.message.${name}Data`)
})

test.skipIf(missing)('and so they do with the records of internal topics and the consumer protocol', async () => {
  await expectSame(recordSamples(), (name) => `${PACKAGES.find(([pattern]) => pattern.test(name))![1]}.${name}`)
})
