// What MirrorMaker 2 and we make of the same files, made by chance of the parts that real ones have.
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flowsOf } from '../../../src/cli/mirror/flows.ts'
import { clientKeys, connectorKeys } from '../../../src/cli/mirror/known-keys.ts'
import { javaClasses } from '../../services/java.ts'
import { kafkaJars, kafkaMissing, kafkaTool } from '../../services/kafka.ts'
import { mirrorMakerJars } from '../../services/kafka-mirror.ts'

const FILES = 300
const missing = kafkaMissing('4.3.1') !== null

type Properties = Readonly<Record<string, string>>

/** Runs lines through FlowRunner.java. */
async function throughJava(lines: readonly string[]): Promise<any[]> {
  const jars = await mirrorMakerJars()
  const program = join(import.meta.dirname, 'FlowRunner.java')
  const classes = await javaClasses([program], [await kafkaJars(), ...jars.map((jar) => dirname(jar))])
  const { code, stdout, stderr } = await kafkaTool('org.apache.kafka.connect.mirror.FlowRunner', [], {
    input: lines.map((line) => `${line}\n`).join(''),
    classes: [classes, ...jars],
  })
  if (code !== 0) throw new Error(stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const ALIASES = ['A', 'B', 'us', 'us.east', 'consumer', 'mm2-x']
const KEYS = `
  bootstrap.servers ssl.protocol sasl.jaas.config security.protocol client.id group.id topics groups
  tasks.max name enabled replication.factor emit.heartbeats.enabled emit.heartbeats.interval.seconds
  sync.topic.acls.enabled use.defaults.from offset-syncs.topic.location replication.policy.separator
  replication.policy.other offset.storage.topic status.storage.partitions config.storage.replication.factor
  offset.flush.interval.ms key.converter header.converter.x task tasks worker.sync.timeout.ms workers
  transforms transforms.a.type restart.policy connector.class
`
  .trim()
  .split(/\s+/)
const CLIENTS = ['', 'producer.', 'consumer.', 'admin.', 'consumerish.', 'source.consumer.', 'target.cluster.']

/** Pieces of a file; `security.protocol` at the top is checked by MirrorMaker before anything else. */
const fileOf: fc.Arbitrary<Properties> = fc
  .record({
    clusters: fc.uniqueArray(fc.constantFrom(...ALIASES), { minLength: 1, maxLength: 3 }),
    lines: fc.array(
      fc.record({
        place: fc.constantFrom('top', 'cluster', 'flow'),
        one: fc.constantFrom(...ALIASES),
        other: fc.constantFrom(...ALIASES),
        client: fc.constantFrom(...CLIENTS),
        key: fc.constantFrom(...KEYS),
        value: fc.constantFrom('true', 'false', 'TRUE', 'x', '1', 'a:1,b:2', ''),
      }),
      { maxLength: 25 },
    ),
    enabled: fc.boolean(),
  })
  .map(({ clusters, lines, enabled }) => {
    // Looking for plugins by reflection takes a second for each file.
    const file: Record<string, string> = { clusters: clusters.join(', '), 'plugin.discovery': 'service_load' }
    if (enabled) file[`${clusters[0]}->${clusters[1]}.enabled`] = 'true'
    for (const { place, one, other, client, key, value } of lines) {
      const where = { top: '', cluster: `${one}.`, flow: `${one}->${other}.` }[place] ?? ''
      const isChecked = key === 'security.protocol' && where + client === ''
      file[where + client + key] = isChecked ? 'SSL' : value
    }
    return file
  })

const ours = (file: Properties): object =>
  Object.fromEntries(
    flowsOf(file).map(({ name, worker, connectors }) => [
      name,
      { worker, connectors: Object.fromEntries(connectors.map((connector) => [connector.name, connector.config])) },
    ]),
  )

test.skipIf(missing)('flows, workers and connectors of a file are those of MirrorMaker 2', async () => {
  const files = fc.sample(fileOf, { numRuns: FILES, seed: 20261121 })
  const answers = await throughJava(files.map((file) => JSON.stringify(file)))
  expect(answers).toHaveLength(FILES)
  const refused = answers.filter((answer) => answer.refused !== undefined)
  expect(refused).toEqual([])
  for (const [index, file] of files.entries()) expect(ours(file), JSON.stringify(file)).toEqual(answers[index].flows)
  // Files without a flow would compare nothing.
  const flows = answers.flatMap(({ flows }) => Object.keys(flows))
  expect(flows.length).toBeGreaterThan(FILES)
})

test.skipIf(missing)('the keys of the top of a file are those of MirrorMaker 2', async () => {
  const [{ client, connector }] = await throughJava([''])
  expect(clientKeys.toSorted()).toEqual(client)
  const others = clientKeys.filter((key) => key !== 'bootstrap.servers')
  expect([...connectorKeys, ...others].toSorted()).toEqual(connector)
})
