import { startKafkaConnect } from '../services/kafka-connect.ts'
import type { WorkerUnderTest } from './systems.ts'

/** Where whoever has a build of an original says so: as Kafka Connect's plugin.path, a folder of folders with jars. */
type Variable = 'JDBC_ORIGINAL' | 'S3_ORIGINAL'

/** What `Side.role` and `Target.peer` call it, whoever wrote it. */
export const ORIGINAL = 'original'

/**
 * The plugin.path of an open-source original whose jar is on no public repository, or null; says loudly that it is left out.
 */
export function originalPath(variable: Variable): string | null {
  const path = process.env[variable]?.trim() ?? ''
  if (path !== '') return path
  console.warn(`  LEFT OUT: the original; set ${variable}=<plugin.path with its jars, in a folder of their own>`)
  return null
}

export interface OriginalWorker extends WorkerUnderTest {
  /** The full name of the one connector that ends so. */
  connectorClass(end: string): string
}

/** A worker of Kafka Connect 4.3.1 with the original; it is called by its vendor, as its classes are. */
export async function originalWorker(
  bootstrapServers: string,
  group: string,
  path: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<OriginalWorker> {
  const worker = await startKafkaConnect({
    bootstrapServers,
    group,
    // Not all originals say in a manifest which classes they have.
    properties: { 'plugin.path': path, 'plugin.discovery': 'hybrid_warn', ...properties },
  })
  const found = (await (await fetch(`${worker.url}/connector-plugins`)).json()) as { class: string }[]
  const classes = found.map((each) => each.class).filter((name) => !name.startsWith('org.apache.kafka.'))
  const stop = () => worker.stop()
  return {
    name: classes[0]?.split('.')[1] ?? '',
    url: worker.url,
    workerId: worker.url.slice(7),
    pid: () => worker.pid(),
    kill: stop,
    stop,
    connectorClass(end) {
      const [name, ...others] = classes.filter((each) => each.endsWith(end))
      if (name !== undefined && others.length === 0) return name
      throw new Error(`${path} has to have one class *${end}, and has ${classes.join(', ') || 'no connector'}`)
    },
  }
}
