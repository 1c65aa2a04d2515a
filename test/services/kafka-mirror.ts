// MirrorMaker 2 from Maven: the original of connectors/mirror.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mavenJars } from './java.ts'

const POM = fileURLToPath(new URL('kafka-mirror/pom.xml', import.meta.url))

/** Its jars alone, as entries of a class path beside Kafka's. */
export async function mirrorMakerJars(): Promise<readonly string[]> {
  const options = ['-DincludeArtifactIds=connect-mirror,connect-mirror-client']
  return [join(await mavenJars('kafka-mirror-4.3.1', POM, options), '*')]
}
