import type { ConfigDef, PluginDefinition, PluginManifest } from '@millrace/sdk'
import { builtinManifests } from '../../connectors/index.ts'
import { WITHOUT_EFFECT } from '../../connectors/postgres-cdc/debezium-settings.ts'
import { BROKER_CONFIG_KEYS } from '../../src/broker/config/broker-keys.ts'
import type { ConfigKey as BrokerConfigKey } from '../../src/broker/config/config-key.ts'
import { BROKER_SYNONYMS, TOPIC_CONFIG_KEYS, type TopicConfigName } from '../../src/broker/config/topic-config.ts'
import { PROPERTY_NAMES } from '../../src/client/properties.ts'
import { commonConnectorConfig } from '../../src/connect/config/common-config.ts'
import { sinkConnectorConfig } from '../../src/connect/config/sink-config.ts'
import { sourceConnectorConfig } from '../../src/connect/config/source-config.ts'
import { topicCreationGroupConfig } from '../../src/connect/config/topic-creation.ts'
import {
  commonWorkerConfig,
  distributedWorkerConfig,
  standaloneWorkerConfig,
} from '../../src/connect/config/worker-config.ts'
import { consumerConfig, producerConfig } from '../../src/connect/worker/client-configs.ts'
import { converterManifests, runtimeConnectorConfig, taskHostConfig } from '../../src/connect/index.ts'
import { transformManifests } from '../../transforms/index.ts'
import { cataloguePage } from './catalogue.ts'
import { CONNECTOR_FOLDERS } from './connector-folders.ts'
import { errorsPage } from './errors.ts'
import { metricsPage } from './metrics.ts'
import { restPage } from './rest.ts'
import { cell, code, configTable, effect, page, sentence, table } from './tables.ts'

async function load(manifest: PluginManifest): Promise<PluginDefinition> {
  return ((await manifest.load()) as { default: PluginDefinition }).default
}

/** Both sides of a transformation have the same options: one section for `X$Key` and `X$Value`. */
function grouped(manifests: readonly PluginManifest[]): PluginManifest[][] {
  const groups = new Map<string, PluginManifest[]>()
  for (const manifest of manifests) {
    const name = manifest.name.replace(/\$(Key|Value)$/, '')
    groups.set(name, [...(groups.get(name) ?? []), manifest])
  }
  return [...groups.values()]
}

async function section(manifests: readonly PluginManifest[]): Promise<string> {
  const [first] = manifests
  if (!first) throw new Error('a section is of at least one plugin')
  const { config } = await load(first)
  const names = manifests.flatMap((manifest) => [manifest.name, ...manifest.aliases])
  const delivery = first.delivery ? ` Delivery: ${first.delivery}.` : ''
  const title = manifests.length === 1 ? first.title : first.title.replace(/[ $](Key|Value)$/, '')
  const head = `${sentence(first.summary)}\n\nClass: ${names.map(code).join(', ')}.${delivery}`
  return `## ${title}\n\n${head}\n\n${configTable(config)}`
}

async function pluginPage(title: string, intro: string, manifests: readonly PluginManifest[]): Promise<string> {
  const sections: string[] = []
  for (const group of grouped(manifests)) sections.push(await section(group))
  return page(title, intro, sections)
}

/** The keys of the first definition that the second does not have. */
function without(config: ConfigDef, taken: ConfigDef): ConfigDef {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !(name in taken)))
}

function connectorPage(): string {
  const framework = { ...commonConnectorConfig, ...runtimeConnectorConfig }
  const own =
    'Keys of Millrace that every connector may set beside those of Kafka Connect: what happens after a failure, and how ' +
    'often offsets are committed.'
  const creation =
    'As `topic.creation.<group>.<key>` for each of `topic.creation.groups` and for `default`, which needs ' +
    '`replication.factor` and `partitions`. Every other key of a group is a setting of the topic.'
  return page('What every connector has', 'The options of a connector itself are in [connectors](connectors.md).', [
    `## Source and sink\n\n${configTable(commonConnectorConfig)}`,
    `## Restart policy and commits\n\n${own}\n\n${configTable(runtimeConnectorConfig)}`,
    `## Sources\n\n${configTable(without(sourceConnectorConfig, framework))}`,
    `## Topic creation of sources\n\n${creation}\n\n${configTable(topicCreationGroupConfig)}`,
    `## Sinks\n\n${configTable(without(sinkConnectorConfig, framework))}`,
  ])
}

function clientSection(): string {
  const list = (names: readonly string[]): string => names.toSorted().map(code).join(', ')
  const intro =
    "Settings of Kafka's clients: as `producer.<key>`, `consumer.<key>` and `admin.<key>` in the worker's properties for the " +
    'clients of tasks, as `producer.override.<key>`, `consumer.override.<key>` and `admin.override.<key>` in a connector. Without ' +
    'a prefix, those of connection and security hold for all clients. Other keys are ignored. Defaults are those of Kafka, but for what tasks set:'
  const id = { connector: '<connector>', task: 0 }
  const own = { ...producerConfig({}, {}, id), ...consumerConfig({}, {}, id) }
  const defaults = Object.entries(own).filter(([key]) => key !== 'client.id' && key !== 'group.id')
  return [
    `## Clients\n\n${intro} ${defaults.map(([key, value]) => code(`${key}=${value}`)).join(', ')}.`,
    `All: ${list(PROPERTY_NAMES.common)}.`,
    `Producers: ${list(PROPERTY_NAMES.producer)}.`,
    `Consumers: ${list(PROPERTY_NAMES.consumer)}.`,
  ].join('\n\n')
}

function workerPage(): string {
  const intro =
    'The properties of `millrace connect-standalone` and `millrace connect-distributed`. Names, types and, unless a line ' +
    'says otherwise, defaults are those of Kafka Connect.'
  return page('Worker configuration', intro, [
    `## Both modes\n\n${configTable(without(commonWorkerConfig, taskHostConfig))}`,
    `## Task hosts\n\nThe processes in which connectors and tasks run: additions of Millrace.\n\n${configTable(taskHostConfig)}`,
    `## Standalone\n\n${configTable(without(standaloneWorkerConfig, commonWorkerConfig))}`,
    `## Distributed\n\n${configTable(without(distributedWorkerConfig, commonWorkerConfig))}`,
    clientSection(),
  ])
}

function brokerMeaning(key: BrokerConfigKey): string {
  const values = key.oneOf ? ` One of: ${key.oneOf.map(code).join(', ')}.` : ''
  return `${cell(sentence(key.doc))}${values}${effect(key.name)}`
}

const defaultText = (key: BrokerConfigKey): string => (key.default === null ? '-' : code(key.default))

function brokerPage(): string {
  const broker = BROKER_CONFIG_KEYS.map((key) => {
    return [code(key.name), key.type, defaultText(key), key.dynamic === true ? 'yes' : '', brokerMeaning(key)]
  })
  const topic = TOPIC_CONFIG_KEYS.map((key) => {
    const synonyms = BROKER_SYNONYMS[key.name as TopicConfigName]
    return [code(key.name), key.type, defaultText(key), synonyms.map(code).join(', ') || '-', brokerMeaning(key)]
  })
  const intro =
    'The properties of `millrace broker`. A key that is not here is kept and logged as unknown, so a file written for Kafka ' +
    'can be used as it is.'
  const topics =
    "Set when a topic is created or by `millrace configs`; the default is the broker's setting if it has one."
  return page('Topic and broker configuration', intro, [
    `## Topics\n\n${topics}\n\n${table(['key', 'type', 'default', "broker's setting", 'meaning'], topic)}`,
    `## Broker\n\nWhat can be changed while it runs is marked in the column _live_.\n\n${table(['key', 'type', 'default', 'live', 'meaning'], broker)}`,
  ])
}

/** All generated pages: path and content. */
export async function reference(): Promise<Map<string, string>> {
  const connectors = 'Options of each connector. What every connector has beside them is in [connector](connector.md).'
  const transforms =
    'Single message transforms and predicates, with the options they have as `transforms.<alias>.<key>` and ' +
    '`predicates.<alias>.<key>`. A class `X$Key` works on the key of a record, `X$Value` on its value.'
  const converters =
    'Between Connect data and bytes, with the options they have as `key.converter.<key>`, `value.converter.<key>` and ' +
    '`header.converter.<key>`. A connector that names a converter takes none of the options of the worker.'
  const pages: readonly (readonly [string, string])[] = [
    ['catalogue', cataloguePage()],
    ['connectors', await pluginPage('Connectors', connectors, builtinManifests)],
    ['transforms', await pluginPage('Transforms and predicates', transforms, transformManifests)],
    ['converters', await pluginPage('Converters', converters, converterManifests)],
    ['connector', connectorPage()],
    ['worker', workerPage()],
    ['broker', brokerPage()],
    ['errors', errorsPage()],
    ['metrics', metricsPage()],
    ['rest', restPage()],
  ]
  return new Map(pages.map(([name, content]) => [`docs/reference/${name}.md`, content]))
}

/** The option tables of the connectors' own READMEs: file, marker, table. */
export async function readmeTables(): Promise<{ path: string; marker: string; content: string }[]> {
  const covered = CONNECTOR_FOLDERS.flatMap(({ classes }) => classes)
  const missing = builtinManifests.filter(({ name }) => !covered.includes(name))
  if (missing.length > 0) throw new Error(`no README has the options of ${missing.map(({ name }) => name).join(', ')}`)
  const tables: { path: string; marker: string; content: string }[] = []
  for (const { folder, classes } of CONNECTOR_FOLDERS) {
    for (const name of classes) {
      const manifest = builtinManifests.find((candidate) => candidate.name === name)
      if (!manifest) throw new Error(`there is no connector ${name}`)
      const { config } = await load(manifest)
      const marker = classes.length === 1 ? 'options' : `options of ${name}`
      tables.push({ path: `connectors/${folder}/README.md`, marker, content: configTable(config) })
    }
  }
  const path = 'connectors/postgres-cdc/README.md'
  const rows = WITHOUT_EFFECT.map(([name, reason]) => [code(name), cell(sentence(reason))])
  tables.push({ path, marker: 'settings without effect', content: table(['key', 'why'], rows) })
  return tables
}
