import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const POM = fileURLToPath(new URL('./debezium-jdbc/pom.xml', import.meta.url))
/** Jars that the worker brings itself; a second copy in the plugin would shadow them. */
const PROVIDED = /^(kafka-clients|connect-|jackson-|slf4j-api|lz4-java|snappy-java|zstd-jni)/

/**
 * A folder for plugin.path with Debezium's JDBC sink, fetched by Maven once per machine. Only benchmarks need it: it is
 * the one open-source sink of its kind whose jar is on Maven Central.
 */
export async function debeziumJdbcPath(): Promise<string> {
  const services = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'services')
  const folder = join(services, 'connect-jdbc-3.5.0')
  if (existsSync(folder)) return folder
  await mkdir(services, { recursive: true })
  const partial = await mkdtemp(`${folder}-partial-`)
  const jars = join(partial, 'debezium-jdbc')
  const args = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
  for (let attempt = 1; ; attempt++) {
    const mvn = spawnSync('mvn', args, { encoding: 'utf8' })
    if (mvn.status === 0) break
    // A repository that does not answer for a moment is no fault of ours.
    if (attempt === 3) throw new Error(`Maven cannot fetch Debezium's JDBC sink: ${mvn.stdout}${mvn.stderr}`)
  }
  for (const jar of await readdir(jars)) if (PROVIDED.test(jar)) await rm(join(jars, jar))
  await rename(partial, folder).catch(() => rm(partial, { recursive: true, force: true }))
  return folder
}
