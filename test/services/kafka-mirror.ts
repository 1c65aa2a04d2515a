// MirrorMaker 2 from Maven: the original of connectors/mirror.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endPeer } from './end-process.ts'
import { mavenJars } from './java.ts'
import { kafkaJars } from './kafka.ts'

const LOGGING = `-Dlog4j2.configurationFile=${fileURLToPath(new URL('kafka/log4j2.properties', import.meta.url))}`
const POM = fileURLToPath(new URL('kafka-mirror/pom.xml', import.meta.url))

/** Its jars alone, as entries of a class path beside Kafka's. */
export async function mirrorMakerJars(): Promise<readonly string[]> {
  const options = ['-DincludeArtifactIds=connect-mirror,connect-mirror-client']
  return [join(await mavenJars('kafka-mirror-4.3.1', POM, options), '*')]
}

export interface MirrorMaker {
  /** What it last wrote to its log: warnings and errors. */
  output(): string
  stop(): Promise<void>
}

const OUTPUT_CHARS = 200_000

/** Starts a dedicated MirrorMaker 2; whether it works shows in what it copies. */
export async function startMirrorMaker(properties: Readonly<Record<string, string>>): Promise<MirrorMaker> {
  const [lib, jars] = [await kafkaJars(), await mirrorMakerJars()]
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mirror-maker-'))
  const file = join(folder, 'mm2.properties')
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(file, lines.join(''))
  const jvm = ['-Xmx512M', '-XX:+UseSerialGC', LOGGING, '-cp', [join(lib, '*'), ...jars].join(':')]
  const child = spawn('java', [...jvm, 'org.apache.kafka.connect.mirror.MirrorMaker', file], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => (output = (output + chunk).slice(-OUTPUT_CHARS)))
  return {
    output: () => output,
    async stop() {
      await endPeer(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
