import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder } from './cache.ts'
import { copyJars } from './java.ts'

const POM = fileURLToPath(new URL('./debezium-jdbc/pom.xml', import.meta.url))
/** Jars that the worker brings itself; a second copy in the plugin would shadow them. */
const PROVIDED = /^(kafka-clients|connect-|jackson-|slf4j-api|lz4-java|snappy-java|zstd-jni)/

/**
 * A folder for plugin.path with Debezium's JDBC sink, fetched by Maven once per machine. Only benchmarks need it: it is
 * the one open-source sink of its kind whose jar is on Maven Central.
 */
export function debeziumJdbcPath(): Promise<string> {
  return cachedFolder('connect-jdbc-3.5.0', async (partial) => {
    const jars = join(partial, 'debezium-jdbc')
    await copyJars(POM, jars)
    for (const jar of await readdir(jars)) if (PROVIDED.test(jar)) await rm(join(jars, jar))
  })
}
