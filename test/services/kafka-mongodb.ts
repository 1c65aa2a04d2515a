// The MongoDB Kafka connector from Maven: the original of connectors/mongodb.
import { fileURLToPath } from 'node:url'
import { mavenJars } from './java.ts'

const POM = fileURLToPath(new URL('kafka-mongodb/pom.xml', import.meta.url))

/** The folder of its jars, with those of the Kafka that it runs on. */
export function mongoConnectorJars(): Promise<string> {
  return mavenJars('kafka-mongodb-1.13.0', POM)
}
