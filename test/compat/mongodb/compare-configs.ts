import { parseConfig } from '@millrace/sdk'
import sink from '../../../connectors/mongodb/sink.ts'
import source from '../../../connectors/mongodb/source.ts'
import type { MongoConnectorVersion } from '../../services/kafka-mongodb.ts'
import type { MongoServer } from '../../services/mongo.ts'
import { type ConfigCase, configCases, type ConfigSide } from './config-cases.ts'
import { throughJava } from './harness.ts'
import { whyConfigKnown } from './known-config-differences.ts'

export interface ConfigComparison {
  readonly compared: number
  readonly explained: ReadonlyMap<string, number>
  readonly differences: readonly string[]
}

const SIDES: readonly ConfigSide[] = ['sink', 'source']

/** Compares which configurations are taken: all that is listed of both connectors. */
export async function compareConfigs(server: MongoServer, version?: MongoConnectorVersion): Promise<ConfigComparison> {
  const cases = SIDES.flatMap(configCases).map((c): ConfigCase => {
    return { ...c, options: { 'connection.uri': server.uri, ...c.options } }
  })
  const answers = await throughJava(cases, version)
  const explained = new Map<string, number>()
  const differences: string[] = []
  for (const [i, c] of cases.entries()) {
    const [java, ours] = [javaRefusal(answers[i]), await ourRefusal(c)]
    if ((java === undefined) === (ours === undefined)) continue
    const why = whyConfigKnown(c, ours === undefined ? 'accepted' : 'refused')
    if (why === undefined) {
      differences.push(
        `  ${c.side} ${c.key}=${c.value}\n  Java   ${java ?? 'accepted'}\n  ours   ${ours ?? 'accepted'}\n`,
      )
    } else explained.set(why, (explained.get(why) ?? 0) + 1)
  }
  return { compared: cases.length, explained, differences }
}

function javaRefusal({ errors, thrown }: any): string | undefined {
  if (thrown) return `${thrown.class}: ${thrown.message}`
  return Object.keys(errors).length === 0 ? undefined : JSON.stringify(errors)
}

async function ourRefusal({ side, options }: ConfigCase): Promise<string | undefined> {
  const issues = side === 'sink' ? await issuesOf(sink, options) : await issuesOf(source, options)
  return issues.length === 0 ? undefined : issues.map(({ key, message }) => `${key}: ${message}`).join('; ')
}

/** As the runtime: what the definition says first, then what the connector does. */
async function issuesOf(
  connector: typeof sink | typeof source,
  options: ConfigCase['options'],
): Promise<readonly { readonly key: string; readonly message: string }[]> {
  const { values, issues } = parseConfig(connector.config, options)
  return issues.length > 0 ? issues : ((await connector.validate?.(values as never, options)) ?? [])
}
