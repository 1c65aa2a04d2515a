// Kafka Connect with the file and Debezium connectors, from Maven: what Millrace is compared with.
import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cachedFolder } from './cache.ts'
import { DEADLINE_MS } from './deadline.ts'
import { endPeer } from './end-process.ts'
import { freePort } from './free-port.ts'
import { copyJars } from './java.ts'
import { kafkaJars } from './kafka.ts'
import { workerProperties } from './millrace.ts'

export interface KafkaConnect {
  readonly url: string
  pid(): number
  /** What it last wrote to its log: warnings and errors. */
  output(): string
  stop(): Promise<void>
}

const OUTPUT_CHARS = 200_000
const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Jars that the worker brings itself; a second copy in the plugin would shadow them. */
const PROVIDED = /^(kafka-clients|connect-api|slf4j-api|lz4-java|snappy-java|zstd-jni)/

/** The folder for plugin.path: the file connector and Debezium's Postgres connector, fetched by Maven once per machine. */
export function pluginPath(): Promise<string> {
  return cachedFolder('connect-plugins-3.7.0', async (partial) => {
    const debezium = join(partial, 'debezium')
    await copyJars(join(HERE, 'debezium', 'pom.xml'), debezium)
    for (const jar of await readdir(debezium)) if (PROVIDED.test(jar)) await rm(join(debezium, jar))
    const kafka = await kafkaJars()
    const fileJar = (await readdir(kafka)).find((jar) => jar.startsWith('connect-file-')) as string
    await mkdir(join(partial, 'file'))
    await cp(join(kafka, fileJar), join(partial, 'file', fileJar))
  })
}

/** Starts a distributed worker of Apache Kafka Connect 4.3.1 and waits until it answers. */
export async function startKafkaConnect(options: {
  bootstrapServers: string
  group: string
  properties?: Record<string, string>
  /** Folders of classes beside Kafka's own. */
  classes?: readonly string[]
}): Promise<KafkaConnect> {
  const [plugins, lib, port] = [await pluginPath(), await kafkaJars(), await freePort()]
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-connect-'))
  const properties = {
    ...workerProperties(options.bootstrapServers, options.group, port),
    'plugin.path': plugins,
    'plugin.discovery': 'service_load',
    ...options.properties,
  }
  const file = join(folder, 'worker.properties')
  await writeFile(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const logging = `-Dlog4j2.configurationFile=${join(HERE, 'kafka', 'log4j2.properties')}`
  const jvm = [
    '-Xms256M',
    '-Xmx1024M',
    '-XX:+UseG1GC',
    logging,
    '-cp',
    [join(lib, '*'), ...(options.classes ?? [])].join(':'),
  ]
  const child = spawn('java', [...jvm, 'org.apache.kafka.connect.cli.ConnectDistributed', file], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => (output = (output + chunk).slice(-OUTPUT_CHARS)))
  const url = `http://127.0.0.1:${port}`
  await answers(child, url, () => output).catch(async (error: unknown) => {
    await endPeer(child)
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  return {
    url,
    pid: () => child.pid as number,
    output: () => output,
    async stop() {
      await endPeer(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function answers(child: ChildProcess, url: string, output: () => string): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`Kafka Connect ended with ${child.exitCode}: ${output()}`)
    const response = await fetch(`${url}/connectors`, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
    await response?.body?.cancel()
    if (response?.ok) return
    if (Date.now() > deadline) throw new Error(`Kafka Connect does not answer: ${output()}`)
  }
}
